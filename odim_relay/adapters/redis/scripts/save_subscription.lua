-- Create or replace a subscription and raise the generation.
--
-- Writes  subscriptions, subscriptions:generation, subscriptions:generations, subscriptions:changes,
--         subscriptions:deleted
--
-- ARGV  1 id    2 document
-- Returns the generation

redis.call('HSET', SUBSCRIPTIONS, ARGV[1], ARGV[2])
-- One that is saved again is not swept: its parked deliveries are wanted.
redis.call('ZREM', prefix .. 'subscriptions:deleted', ARGV[1])
return next_generation(ARGV[1])
