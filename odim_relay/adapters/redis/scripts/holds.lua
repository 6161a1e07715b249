-- Tell whether a lease still runs and its subscription still exists (L17). Reads delivery:*, deadlines, inflight:*, subscriptions.
--
-- ARGV  1 id    2 lease    3 subscription    4 destination where the claim took the record away (L19), else empty
-- Returns 1 or 0

if redis.call('HEXISTS', SUBSCRIPTIONS, ARGV[3]) == 0 then return 0 end
local until_ms
if ARGV[4] ~= '' then
  until_ms = redis.call('ZSCORE', prefix .. 'inflight:' .. ARGV[4], ARGV[1] .. ':' .. ARGV[2])
else
  local found = redis.call('HMGET', prefix .. 'delivery:' .. ARGV[1], 'state', 'seq')
  if found[1] == 'SENDING' and found[2] == ARGV[2] then until_ms = redis.call('ZSCORE', DEADLINES, ARGV[1]) end
end
return tonumber(until_ms or 0) > NOW and 1 or 0
