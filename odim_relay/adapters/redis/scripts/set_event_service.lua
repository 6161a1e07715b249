-- Replace what an administrator says for all subscriptions, and raise their generation, so that everybody acts on it. From
-- the moment that the journal is to be kept nothing is taken in without it: a batch of an older generation is refused.
--
-- Writes  event-service, subscriptions:generation, subscriptions:generations, journal:state
--
-- ARGV  1 document that must stand there, empty for none    2 new one
-- Returns 1, or 0 when another document stands there

if (redis.call('GET', EVENT_SERVICE) or '') ~= ARGV[1] then return 0 end
local was_kept = event_service().keeps_journal
redis.call('SET', EVENT_SERVICE, ARGV[2])
hear(ARGV[2])
if event_service().keeps_journal and not was_kept then begin_journal() end
next_generation()
return 1
