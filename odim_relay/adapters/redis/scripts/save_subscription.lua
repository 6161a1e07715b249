-- Create or replace a subscription and raise the generation. Writes subscriptions, subscriptions:generation, subscriptions:changes.
--
-- ARGV  1 id    2 document
-- Returns the generation

redis.call('HSET', SUBSCRIPTIONS, ARGV[1], ARGV[2])
local generation = redis.call('INCR', prefix .. 'subscriptions:generation')
redis.call('ZADD', prefix .. 'subscriptions:changes', generation, ARGV[1])
return generation
