-- Remove records from quarantine for good, because a person wants it. What is not there is passed over.
--
-- Writes  quarantine*, counters
--
-- ARGV  ids
-- Returns how many there were

local discarded = 0
for _, id in ipairs(ARGV) do
  local size = redis.call('HSTRLEN', prefix .. 'quarantine:values', id)
  if redis.call('HDEL', prefix .. 'quarantine', id) == 1 then
    redis.call('HDEL', prefix .. 'quarantine:values', id)
    redis.call('ZREM', prefix .. 'quarantine:order', id)
    redis.call('DECRBY', prefix .. 'quarantine:bytes', size)
    discarded = discarded + 1
  end
end
count('discarded:quarantine', discarded)
return discarded
