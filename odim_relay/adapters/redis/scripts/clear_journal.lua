-- Remove every entry of the journal: nobody has followed a stream for long. Writes journal, journal:state.

redis.call('DEL', JOURNAL)
redis.call('HSET', JOURNAL_STATE, 'left', redis.call('HGET', JOURNAL_STATE, 'end') or '0-0', 'bytes', 0)
return 1
