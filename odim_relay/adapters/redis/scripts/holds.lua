-- Tell whether a lease still runs and its subscription still exists (L17). Reads delivery:*, deadlines, subscriptions.
--
-- ARGV  1 id    2 lease
-- Returns 1 or 0

local found = redis.call('HMGET', prefix .. 'delivery:' .. ARGV[1], 'state', 'seq', 'subscription')
if found[1] ~= 'SENDING' or found[2] ~= ARGV[2] then return 0 end
if tonumber(redis.call('ZSCORE', DEADLINES, ARGV[1]) or 0) <= NOW then return 0 end
return redis.call('HEXISTS', SUBSCRIPTIONS, found[3])
