-- Remove a subscription, raise the generation, mark its parked deliveries for the sweep (L8): O(1) however many there are.
--
-- Writes  subscriptions, subscriptions:generation, subscriptions:generations, subscriptions:changes, subscriptions:deleted,
--         due, waiting:*
--
-- ARGV  1 id
-- Returns 1, or 0 when there is none

return delete_subscription(ARGV[1]) and 1 or 0
