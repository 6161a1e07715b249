-- Create or replace a subscription and raise the generation.
--
-- Writes  subscriptions, subscriptions:generation, subscriptions:generations, subscriptions:changes,
--         subscriptions:deleted, flow:*, due, waiting:*, parked:*
--
-- ARGV  1 id    2 document    3 document that must stand there, empty for any or none
--       4 destination    5 mode    6 policy: 'suspend', 'terminate' or empty
--       7 most in flight    8 requests per second    9 retention, ms    10 most events in a request
--       each empty for none of its own
-- Returns the generation, 0 when another document stands there

local flow = flow_of(ARGV[1])
if ARGV[3] ~= '' and redis.call('HGET', SUBSCRIPTIONS, ARGV[1]) ~= ARGV[3] then return '0' end
redis.call('HSET', SUBSCRIPTIONS, ARGV[1], ARGV[2])
-- One that is saved again is not swept: its parked deliveries are wanted.
redis.call('ZREM', prefix .. 'subscriptions:deleted', ARGV[1])
redis.call('HSET', flow.key, 'destination', ARGV[4], 'mode', ARGV[5], 'policy', ARGV[6])
for at, name in ipairs({ 'max_in_flight', 'rate', 'retention_ms', 'batch' }) do
  if ARGV[6 + at] == '' then redis.call('HDEL', flow.key, name) else redis.call('HSET', flow.key, name, ARGV[6 + at]) end
end
if tonumber(ARGV[8]) ~= flow.rate then redis.call('HDEL', flow.key, 'next_at_ms') end -- the old pace is nobody's any more
if ARGV[5] == 'ordered' and not flow.is_ordered then straighten(flow) end
flow.exists = true
if is_waiting(flow) then
  nothing_to_wake(flow)
  flow.destination = ARGV[4]
  to_be_woken(flow)
end
return next_generation(ARGV[1])
