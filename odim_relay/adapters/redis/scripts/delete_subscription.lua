-- Remove a subscription, raise the generation, mark its parked deliveries for the sweep (L8): O(1) however many there are.
--
-- Writes  subscriptions, subscriptions:generation, subscriptions:generations, subscriptions:changes, subscriptions:deleted
--
-- ARGV  1 id
-- Returns 1, or 0 when there is none

if redis.call('HDEL', SUBSCRIPTIONS, ARGV[1]) == 0 then return 0 end
redis.call('ZADD', prefix .. 'subscriptions:deleted', next_generation(ARGV[1]), ARGV[1])
return 1
