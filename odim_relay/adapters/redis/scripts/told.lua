-- The subscriber was told that events were lost (L15). Writes flow:*.
--
-- ARGV  1 subscription    2 how many

local flow = flow_of(ARGV[1])
if not flow.exists then return 0 end
if redis.call('HINCRBY', flow.key, 'lost', -ARGV[2]) <= 0 then redis.call('HDEL', flow.key, 'lost') end
redis.call('HDEL', flow.key, 'telling_until_ms')
return 1
