-- Add what somebody did to the audit log, and let go what is too old or too much.
--
-- Writes  audit or audit:refused
--
-- ARGV  1 'audit' or 'audit:refused'    2 how many entries are kept    3 how long, ms    then names and values, flat

local log, entry = prefix .. ARGV[1], {}
for at = 4, #ARGV do entry[#entry + 1] = ARGV[at] end
redis.call('XADD', log, '*', unpack(entry))
redis.call('XTRIM', log, 'MAXLEN', ARGV[2])
redis.call('XTRIM', log, 'MINID', text(math.max(NOW - ARGV[3], 0)))
-- With the last of them its log goes too, also when nobody does anything any more.
redis.call('PEXPIRE', log, ARGV[3])
return 1
