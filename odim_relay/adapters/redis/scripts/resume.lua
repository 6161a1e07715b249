-- Resume a subscription: what waited goes on, from a slow start, oldest first.
--
-- Writes  flow:*, due, waiting:*, destination:*, notices*, and what handing out and dropping deliveries writes
--
-- ARGV  1 subscription    2 age in ms beyond which what waited is discarded, empty for none
-- Returns {1 when it was suspended, 0 when not, -1 when there is none, how many deliveries are parked, tickets, notices}

local flow = flow_of(ARGV[1])
if not flow.exists then return { -1, 0, {}, {} } end
local was_suspended = flow.suspended and 1 or 0
if ARGV[2] ~= '' then
  flow.since_ms = NOW - tonumber(ARGV[2])
  redis.call('HSET', flow.key, 'since_ms', text(flow.since_ms))
end
redis.call('HDEL', flow.key, 'suspended', 'suspended_at_ms', 'failures', 'failed_at_ms')
flow.suspended, flow.failures = nil, 0
if was_suspended == 1 then notice('resumed', flow.id) end
local parked = parked_count(flow)
if parked > 0 then
  allow(flow, 1)
  redis.call('HSET', flow.key, 'recall', 0)
end
if is_waiting(flow) then to_be_woken(flow) end
hurry(flow)
wake(flow)
return { was_suspended, parked, tickets, notices }
