-- Store how far a partition was taken in, if it stands where the caller believes (L10, L11).
--
-- Writes  position:{partition}, partitions
--
-- ARGV  1 partition as topic:number    2-4 believed topic epoch, offset, cursor, all empty for none    5-7 the new ones
-- Returns 1, or 0 when another position stands there

local position = prefix .. 'position:' .. ARGV[1]
local stored = redis.call('HMGET', position, 'topic_epoch', 'offset', 'cursor')
if (stored[1] or '') ~= ARGV[2] or (stored[2] or '') ~= ARGV[3] or (stored[3] or '') ~= ARGV[4] then return 0 end
redis.call('HSET', position, 'topic_epoch', ARGV[5], 'offset', ARGV[6], 'cursor', ARGV[7])
redis.call('SADD', prefix .. 'partitions', ARGV[1])
return 1
