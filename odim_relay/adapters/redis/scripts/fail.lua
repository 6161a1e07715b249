-- Tell the ledger that an attempt did not succeed: retry, park or release (L20, L22). Nothing happens without the lease.
--
-- Reads   subscriptions
-- Writes  delivery:*, body:*, deadlines, dead-letters, parked:*, by-hand:*, countdowns:*, tickets, counters
--
-- ARGV  1 id    2 lease    3 'retry', 'park' or 'release'    4 last attempt, JSON
--       retry:   5 wait, ms    6 longest countdown, ms    7 countdowns allowed per destination    8 destination
--                9 reason of parking when no countdown is to carry it    10 grace after the due time, ms
--       park:    5 reason
--       release: 5 patience, ms
-- Returns nil without the lease, {'retrying', seq}, {'parked'}, {'queued', seq} or, with the subscription gone, {'gone'}

local id, lease, action, last = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local delivery = prefix .. 'delivery:' .. id
local found = redis.call('HMGET', delivery, 'state', 'seq', 'attempts', 'subscription')
if found[1] ~= 'SENDING' or found[2] ~= lease then return nil end

-- Its subscription was deleted since the claim, and swept maybe: nobody would look for what is parked now.
if action ~= 'release' and redis.call('HEXISTS', SUBSCRIPTIONS, found[4]) == 0 then
  forget(id)
  count('deliveries:subscription_deleted', 1)
  return { 'gone' }
end

if action == 'park' then
  park(id, ARGV[5], last, nil)
  return { 'parked' }
end

if action == 'release' then
  local seq = lease + 1
  redis.call('HSET', delivery, 'attempts', found[3] - 1)
  queue(id, seq, tonumber(ARGV[5]))
  return { 'queued', seq }
end

local wait_ms, destination = tonumber(ARGV[5]), ARGV[8]
local due_ms = now_ms() + wait_ms
local countdowns = prefix .. 'countdowns:' .. destination
if wait_ms > tonumber(ARGV[6]) or redis.call('SCARD', countdowns) >= tonumber(ARGV[7]) then
  park(id, ARGV[9], last, due_ms)
  return { 'parked' }
end
local seq = lease + 1
redis.call('SADD', countdowns, id)
redis.call('HSET', delivery, 'state', 'RETRYING', 'seq', seq, 'due_ms', string.format('%.0f', due_ms), 'last', last,
  'lapses', 0, 'countdown', destination)
redis.call('ZADD', DEADLINES, due_ms + tonumber(ARGV[10]), id)
count('deliveries_retried', 1)
return { 'retrying', seq }
