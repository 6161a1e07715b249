-- The subscriber was told that events were lost (L15). Writes flow:*.
--
-- ARGV  1 subscription    2 how many

local flow = flow_of(ARGV[1])
if flow.exists and redis.call('HINCRBY', flow.key, 'lost', -ARGV[2]) <= 0 then redis.call('HDEL', flow.key, 'lost') end
return 1
