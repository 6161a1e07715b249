-- Put in front of every script of the ledger: what they share.
--
-- KEYS[1]  the key prefix. The keys themselves are made here, from ids found in other keys: the ledger needs one Redis,
--          never a Cluster (L34). Every key is documented in keys.py.

local prefix = KEYS[1]

local DEADLINES = prefix .. 'deadlines'
local DEAD_LETTERS = prefix .. 'dead-letters'
local COUNTERS = prefix .. 'counters'
local SUBSCRIPTIONS = prefix .. 'subscriptions'
local BODY_FIELDS = 3 -- payload, record, recorded_at_ms: what a body holds beside the deliveries that need it

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function count(name, by)
  if by > 0 then redis.call('HINCRBY', COUNTERS, name, by) end
end

local function next_ticket()
  return redis.call('INCR', prefix .. 'tickets')
end

-- Raise the generation of the subscriptions, for a change of the one named. By the clock: a generation whose write was lost
-- is never given again, and the ones that this database had are kept, so that a cache of a lost one is found out.
local function next_generation(subscription)
  local last = tonumber(redis.call('GET', prefix .. 'subscriptions:generation') or 0)
  local time = redis.call('TIME') -- in microseconds: changes never come that fast, so the number stays behind the clock
  local generation = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
  redis.call('SET', prefix .. 'subscriptions:generation', generation)
  redis.call('ZADD', prefix .. 'subscriptions:changes', generation, subscription)
  redis.call('ZADD', prefix .. 'subscriptions:generations', generation, generation)
  redis.call('ZREMRANGEBYRANK', prefix .. 'subscriptions:generations', 0, -1001)
  return generation
end

local function index_of(reason, subscription)
  if reason == 'rejected' or reason == 'broken' then return prefix .. 'by-hand:' .. subscription end
  return prefix .. 'parked:' .. subscription
end

-- The body goes with the last delivery that needs it (L7).
local function let_go_of_body(event, id)
  local body = prefix .. 'body:' .. event
  if redis.call('HDEL', body, id) == 1 and redis.call('HLEN', body) <= BODY_FIELDS then redis.call('DEL', body) end
end

local function leave_countdown(id, countdown)
  if countdown and countdown ~= '' then redis.call('SREM', prefix .. 'countdowns:' .. countdown, id) end
end

-- Remove a delivery wherever it stands. Returns true when there was one.
local function forget(id)
  local delivery = prefix .. 'delivery:' .. id
  local fields = redis.call('HMGET', delivery, 'event', 'countdown')
  redis.call('ZREM', DEADLINES, id)
  if fields[1] then
    redis.call('DEL', delivery)
    leave_countdown(id, fields[2])
    let_go_of_body(fields[1], id)
    return true
  end
  local document = redis.call('HGET', DEAD_LETTERS, id)
  if not document then return false end
  local letter = cjson.decode(document)
  redis.call('HDEL', DEAD_LETTERS, id)
  redis.call('ZREM', index_of(letter.reason, letter.subscription), id)
  let_go_of_body(letter.event, id)
  return true
end

-- Move a delivery that is not parked into the dead-letter hash; with due_ms the reaper queues it again then.
local function park(id, reason, last, due_ms)
  local delivery = prefix .. 'delivery:' .. id
  local flat = redis.call('HGETALL', delivery)
  local letter = {}
  for i = 1, #flat, 2 do letter[flat[i]] = flat[i + 1] end
  leave_countdown(id, letter.countdown)
  letter.countdown, letter.lapses = nil, nil -- what parks it is an outcome: lapses are counted from there
  letter.state = 'PARKED'
  letter.reason = reason
  letter.parked_at_ms = string.format('%.0f', now_ms())
  letter.record = redis.call('HGET', prefix .. 'body:' .. letter.event, 'record') or ''
  if last ~= '' then letter.last = last end
  letter.due_ms = due_ms and string.format('%.0f', due_ms) or nil
  redis.call('HSET', DEAD_LETTERS, id, cjson.encode(letter))
  redis.call('ZADD', index_of(reason, letter.subscription), letter.number, id)
  redis.call('DEL', delivery)
  if due_ms then redis.call('ZADD', DEADLINES, due_ms, id) else redis.call('ZREM', DEADLINES, id) end
  count('dead_letters:' .. reason, 1)
end

-- Make a delivery QUEUED under a new ticket; its task is to be published by the caller.
local function queue(id, seq, patience_ms)
  redis.call('HSET', prefix .. 'delivery:' .. id, 'state', 'QUEUED', 'seq', seq, 'ticket', next_ticket(),
    'patience_ms', patience_ms)
  redis.call('ZADD', DEADLINES, now_ms() + patience_ms, id)
end

-- Take a delivery out of the dead-letter hash and make it QUEUED. Returns its new seq, or nil when it is not parked.
local function unpark(id, patience_ms)
  local document = redis.call('HGET', DEAD_LETTERS, id)
  if not document then return nil end
  local letter = cjson.decode(document)
  redis.call('HDEL', DEAD_LETTERS, id)
  redis.call('ZREM', index_of(letter.reason, letter.subscription), id)
  letter.reason, letter.parked_at_ms, letter.record, letter.due_ms = nil, nil, nil, nil
  local flat = {}
  for field, value in pairs(letter) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  redis.call('HSET', prefix .. 'delivery:' .. id, unpack(flat))
  local seq = letter.seq + 1
  queue(id, seq, patience_ms)
  return seq
end
