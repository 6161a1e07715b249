-- Note up to which change all were logged. Writes notices:state.
--
-- ARGV  1 its number

local state = prefix .. 'notices:state'
if tonumber(ARGV[1]) > tonumber(redis.call('HGET', state, 'logged') or 0) then redis.call('HSET', state, 'logged', ARGV[1]) end
return 1
