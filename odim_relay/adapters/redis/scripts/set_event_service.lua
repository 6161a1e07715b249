-- Replace what an administrator says for all subscriptions, and raise their generation, so that everybody acts on it.
--
-- Writes  event-service, subscriptions:generation, subscriptions:generations
--
-- ARGV  1 document that must stand there, empty for none    2 new one
-- Returns 1, or 0 when another document stands there

if (redis.call('GET', EVENT_SERVICE) or '') ~= ARGV[1] then return 0 end
redis.call('SET', EVENT_SERVICE, ARGV[2])
next_generation()
return 1
