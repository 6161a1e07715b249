-- Remove a subscription, raise the generation, mark its parked deliveries for the sweep (L8): O(1) however many there are.
--
-- Writes  subscriptions, subscriptions:generation, subscriptions:generations, subscriptions:changes, subscriptions:deleted,
--         due, waiting:*
--
-- ARGV  1 id    2 document that must stand there, empty for any
-- Returns 1, or 0 when there is none, or another document stands there

if ARGV[2] ~= '' and redis.call('HGET', SUBSCRIPTIONS, ARGV[1]) ~= ARGV[2] then return 0 end
return delete_subscription(ARGV[1]) and 1 or 0
