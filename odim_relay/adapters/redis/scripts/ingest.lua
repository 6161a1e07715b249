-- Write one batch of the bridge, and the position it leads to, at once or not at all (L9).
--
-- Reads   position:{partition}, subscriptions:generation
-- Writes  position:{partition}, partitions, starts:{partition}, body:*, delivery:*, deadlines, tickets, quarantine*, counters
--
-- ARGV  1 partition as topic:number
--       2-4 believed topic epoch, offset, cursor    5-7 reached ones
--       8 generation of the subscriptions it was matched with    9 patience, ms    10 quarantine quota, bytes
--       11-14 counts of records, events, unmatched, ignored
--       15-17 counts of events, deliveries, quarantine entries that follow
--       then per event: id, payload, record, recorded_at_ms
--       then per delivery: id, subscription, place of its event (from 1), shape
--       then per quarantine entry: id, document, value
-- Returns {'position'} or {'generation'} when refused, else {'written', seq per delivery}: seq 0 for one that the ledger
--       has already, which happens only after the position was reset to an earlier one.

local position = prefix .. 'position:' .. ARGV[1]
local stored = redis.call('HMGET', position, 'topic_epoch', 'offset', 'cursor')
if stored[1] ~= ARGV[2] or stored[2] ~= ARGV[3] or stored[3] ~= ARGV[4] then return { 'position' } end
if (redis.call('GET', prefix .. 'subscriptions:generation') or '0') ~= ARGV[8] then return { 'generation' } end

local patience = tonumber(ARGV[9])
local event_count, delivery_count, quarantine_count = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17])
local at = 18
local events = {}
for i = 1, event_count do
  events[i] = at
  at = at + 4
end

local result, created = { 'written' }, 0
if delivery_count > 0 then
  local now = now_ms()
  local ticket = redis.call('INCRBY', prefix .. 'tickets', delivery_count) - delivery_count
  local with_body = {}
  for _ = 1, delivery_count do
    local id, subscription, event, shape = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
    at = at + 4
    ticket = ticket + 1
    local delivery = prefix .. 'delivery:' .. id
    if redis.call('EXISTS', delivery) == 1 or redis.call('HEXISTS', DEAD_LETTERS, id) == 1 then
      result[#result + 1] = 0
    else
      local arg = events[event]
      local body = prefix .. 'body:' .. ARGV[arg]
      if with_body[event] then
        redis.call('HSET', body, id, '')
      else
        redis.call('HSET', body, 'payload', ARGV[arg + 1], 'record', ARGV[arg + 2], 'recorded_at_ms', ARGV[arg + 3], id, '')
        with_body[event] = true
      end
      redis.call('HSET', delivery, 'state', 'QUEUED', 'seq', 1, 'ticket', ticket, 'number', ticket,
        'subscription', subscription, 'event', ARGV[arg], 'shape', shape, 'attempts', 0, 'patience_ms', patience)
      redis.call('ZADD', DEADLINES, now + patience, id)
      result[#result + 1] = 1
      created = created + 1
    end
  end
end

for _ = 1, quarantine_count do
  local id, document, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  if redis.call('HSET', prefix .. 'quarantine', id, document) == 1 then
    redis.call('HSET', prefix .. 'quarantine:values', id, value)
    redis.call('ZADD', prefix .. 'quarantine:order', now_ms(), id)
    redis.call('INCRBY', prefix .. 'quarantine:bytes', #value)
    count('records_quarantined', 1)
  end
end
if quarantine_count > 0 then
  local quota = tonumber(ARGV[10])
  -- Bounded by what this batch brought: a quota that shrank is worked off by later batches.
  for _ = 1, 500 do
    if tonumber(redis.call('GET', prefix .. 'quarantine:bytes') or 0) <= quota then break end
    local oldest = redis.call('ZPOPMIN', prefix .. 'quarantine:order')[1]
    if not oldest then break end
    local size = redis.call('HSTRLEN', prefix .. 'quarantine:values', oldest)
    redis.call('HDEL', prefix .. 'quarantine', oldest)
    redis.call('HDEL', prefix .. 'quarantine:values', oldest)
    redis.call('DECRBY', prefix .. 'quarantine:bytes', size)
    count('discarded:quarantine_over_quota', 1)
  end
end

redis.call('HSET', position, 'topic_epoch', ARGV[5], 'offset', ARGV[6], 'cursor', ARGV[7])
redis.call('SADD', prefix .. 'partitions', ARGV[1])
redis.call('DEL', prefix .. 'starts:' .. ARGV[1])
count('records_ingested', tonumber(ARGV[11]))
count('events_ingested', tonumber(ARGV[12]))
count('events_unmatched', tonumber(ARGV[13]))
count('records_ignored', tonumber(ARGV[14]))
count('deliveries_created', created)
return result
