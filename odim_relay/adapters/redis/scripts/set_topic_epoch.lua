-- Give a topic a new epoch, unless another bridge did so first (L11). Writes topic:{topic}.
--
-- ARGV  1 topic    2 believed epoch, empty for none    3 new epoch    4 what it was concluded from
-- Returns {epoch, origin} as they stand now

local topic = prefix .. 'topic:' .. ARGV[1]
if (redis.call('HGET', topic, 'topic_epoch') or '') == ARGV[2] then
  redis.call('HSET', topic, 'topic_epoch', ARGV[3], 'origin', ARGV[4])
end
return redis.call('HMGET', topic, 'topic_epoch', 'origin')
