-- Ask since when nobody has followed the journal, or tell that somebody does. Writes journal:state.
--
-- ARGV  1 1 when somebody does, else 0
-- Returns ms since somebody last did, or since it was begun; -1 when it never was

local used_at_ms = redis.call('HGET', JOURNAL_STATE, 'used_at_ms')
if ARGV[1] == '1' then redis.call('HSET', JOURNAL_STATE, 'used_at_ms', text(NOW)) end
return used_at_ms and NOW - used_at_ms or -1
