-- Parking and leaving: the dead-letter hash and the indexes over it.

local function is_needed(body)
  local more = redis.call('HLEN', body) - BODY_FIELDS
  return more > 1 or (more == 1 and redis.call('HEXISTS', body, 'traceparent') == 0)
end

-- The body goes with the last delivery that needs it (L7).
local function let_go_of_body(event, id)
  local body = prefix .. 'body:' .. event
  if redis.call('HDEL', body, id) == 1 and not is_needed(body) then
    redis.call('DECRBY', prefix .. 'bytes', redis.call('HSTRLEN', body, 'payload'))
    redis.call('DEL', body)
  end
end

local function leave_countdown(flow, id, countdown)
  if not countdown or countdown == '' then return end
  redis.call('SREM', prefix .. 'countdowns:' .. countdown, id)
  redis.call('HSET', prefix .. 'delivery:' .. id, 'countdown', '')
  add(flow, 'active', 1)
  add(flow, 'counting', -1)
end

-- Where a letter stands: sent by a person only, at a time of its own, or as soon as its subscription's turn comes. An ordered
-- one waits for its time at its place: what is behind it must not pass (L32).
local function index_for(flow, reason, due_ms)
  if reason == 'rejected' or reason == 'broken' then return 'by_hand' end
  if due_ms and not flow.is_ordered then return 'delayed' end
  return 'ready'
end

local DEAD = { exhausted = true, rejected = true, gone = true, broken = true } -- the other reasons are of those who wait

-- Whether letters of a subscription are ready to go.
local function is_waiting(flow)
  if flow.is_waiting == nil then flow.is_waiting = redis.call('EXISTS', flow.ready) == 1 end
  return flow.is_waiting
end

local function to_be_woken(flow)
  if flow.suspended then return end
  redis.call('ZADD', DUE, 'NX', NOW, flow.id)
  redis.call('SADD', prefix .. 'waiting:' .. flow.destination, flow.id)
end

local function nothing_to_wake(flow)
  redis.call('ZREM', DUE, flow.id)
  redis.call('SREM', prefix .. 'waiting:' .. flow.destination, flow.id)
end

-- Where the letters of a subscription stand, oldest first in each: key, lowest and highest score, and what makes a number of a
-- score. What is urgent stands before all others, and what came while they went out already before them.
local function ranks_of(flow)
  return {
    { flow.ready, '0', '+inf', 0 }, { flow.ready, '-inf', '(-' .. text(RULES.live), RULES.urgent },
    { flow.ready, '-' .. text(RULES.live), '(0', RULES.live }, { flow.delayed, '-inf', '+inf', 0 },
    { flow.by_hand, '-inf', '+inf', 0 },
  }
end

local function score_of(flow, letter)
  if letter.index ~= 'ready' or flow.is_ordered then return letter.number end
  if letter.urgent then return letter.number - RULES.urgent end
  return letter.live and letter.number - RULES.live or letter.number
end

-- A subscription that wants order from now on: what has a rank takes its place by number again. What came while a gap was
-- drained is not that much; of very much the rest keeps its rank.
local function straighten(flow)
  for _ = 1, 200 do
    local ranked = redis.call('ZRANGEBYSCORE', flow.ready, '-inf', '(0', 'WITHSCORES', 'LIMIT', 0, 500)
    if #ranked == 0 then return end
    for i = 1, #ranked, 2 do
      local score = tonumber(ranked[i + 1])
      redis.call('ZADD', flow.ready, score + (score < -RULES.live and RULES.urgent or RULES.live), ranked[i])
    end
  end
end

-- Put a letter, whose place is free, into the hash and its index, and count it.
local function keep(flow, id, letter, due_ms)
  letter.due_ms = due_ms and text(due_ms) or nil
  letter.index = index_for(flow, letter.reason, due_ms)
  redis.call('HSET', DEAD_LETTERS, id, cjson.encode(letter))
  redis.call('ZADD', flow[letter.index], score_of(flow, letter), id)
  if due_ms then redis.call('ZADD', DEADLINES, due_ms, id) else redis.call('ZREM', DEADLINES, id) end
  redis.call('HINCRBY', flow.counts, letter.reason, 1)
  redis.call('ZINCRBY', BACKLOGS, letter.size, flow.id)
  if letter.index == 'ready' then
    flow.is_waiting = true
    to_be_woken(flow)
  end
end

local function count_parked(reason)
  count((DEAD[reason] and 'dead_letters:' or 'waiting:') .. reason, 1)
end

-- The reverse of `keep`.
local function take_out(flow, id, letter)
  redis.call('HDEL', DEAD_LETTERS, id)
  redis.call('ZREM', flow[letter.index], id)
  if letter.due_ms then redis.call('ZREM', DEADLINES, id) end
  if redis.call('HINCRBY', flow.counts, letter.reason, -1) <= 0 then redis.call('HDEL', flow.counts, letter.reason) end
  if tonumber(redis.call('ZINCRBY', BACKLOGS, -letter.size, flow.id)) <= 0 then redis.call('ZREM', BACKLOGS, flow.id) end
  if letter.index == 'ready' then
    flow.is_waiting = nil
    if not is_waiting(flow) then nothing_to_wake(flow) end
  end
end

-- A letter by its id, nil when there is none. One that a newer version wrote is nil too: it is kept as it is, and set aside
-- with those that only a person touches.
local function letter_of(id)
  local document = redis.call('HGET', DEAD_LETTERS, id)
  if not document then return nil end
  local letter = cjson.decode(document)
  if tonumber(letter.version or 1) <= RULES.letter_version then return letter end
  return nil, letter
end

-- Remove a delivery wherever it stands. Returns true when there was one.
local function forget(id)
  local delivery = prefix .. 'delivery:' .. id
  local fields = redis.call('HMGET', delivery, 'event', 'countdown', 'subscription', 'leader')
  if fields[1] then
    local flow = flow_of(fields[3])
    leave_countdown(flow, id, fields[2])
    redis.call('ZREM', DEADLINES, id)
    redis.call('DEL', delivery)
    let_go_of_body(fields[1], id)
    if not fields[4] then add(flow, 'active', -1) end -- a passenger takes no place of its own
    return true
  end
  local letter = letter_of(id)
  if not letter then return false end
  take_out(flow_of(letter.subscription), id, letter)
  let_go_of_body(letter.event, id)
  return true
end

-- Let a parked delivery go unsent, by a rule that is counted; a subscriber is told that some are lost (L15).
local function drop(flow, id, rule)
  if not forget(id) then return false end
  count('deliveries:' .. rule, 1)
  if flow.exists and (rule == 'over_quota' or rule == 'expired') then
    flow.lost = redis.call('HINCRBY', flow.key, 'lost', 1)
    if flow.lost == 1 then notice('buffer_exceeded', flow.id, rule) end -- the others until it is told belong to it
  end
  return true
end

-- The id of the letter of a subscription that has waited longest; nil without any. Those that a newer version wrote are kept.
local function oldest_of(flow)
  local oldest, lowest
  for _, rank in ipairs(ranks_of(flow)) do
    local heads = redis.call('ZRANGEBYSCORE', rank[1], rank[2], rank[3], 'WITHSCORES', 'LIMIT', 0, 10)
    for i = 1, #heads, 2 do
      if letter_of(heads[i]) then
        local number = heads[i + 1] + rank[4]
        if not lowest or number < lowest then oldest, lowest = heads[i], number end
        break
      end
    end
  end
  return oldest
end

local function parked_count(flow)
  return redis.call('ZCARD', flow.ready) + redis.call('ZCARD', flow.delayed) + redis.call('ZCARD', flow.by_hand)
end

-- Over its quota the oldest of a subscription leave (L15), so many at most; what comes next does the rest.
local function keep_quota(flow, most)
  for _ = 1, most do
    local bytes = tonumber(redis.call('ZSCORE', BACKLOGS, flow.id) or 0)
    if bytes <= RULES.quota_bytes and parked_count(flow) <= RULES.quota_count then return end
    local oldest = oldest_of(flow)
    if not oldest or not drop(flow, oldest, 'over_quota') then return end
  end
end

-- Move a delivery that is not parked into the dead-letter hash; with due_ms it is looked at again then. What parks it is an
-- outcome, as a rule: lapses are counted from there.
local function park(id, reason, last, due_ms, lapses)
  local delivery = prefix .. 'delivery:' .. id
  local flat = redis.call('HGETALL', delivery)
  local letter = {}
  for i = 1, #flat, 2 do letter[flat[i]] = flat[i + 1] end
  local flow = flow_of(letter.subscription)
  leave_countdown(flow, id, letter.countdown)
  if not letter.leader then add(flow, 'active', -1) end
  letter.countdown, letter.leader, letter.passengers, letter.lapses = nil, nil, nil, lapses
  letter.version = RULES.letter_version
  letter.state = 'PARKED'
  letter.reason = reason
  letter.parked_at_ms = text(NOW)
  local body = prefix .. 'body:' .. letter.event
  letter.record = redis.call('HGET', body, 'record') or ''
  letter.size = redis.call('HSTRLEN', body, 'payload') + RULES.overhead_bytes
  if last ~= '' then letter.last = last end
  redis.call('DEL', delivery)
  keep(flow, id, letter, due_ms)
  count_parked(reason)
  keep_quota(flow, 4)
end

-- Make a delivery QUEUED under a new ticket; its task is published by the caller.
local function queue(flow, id, seq, patience_ms)
  redis.call('HSET', prefix .. 'delivery:' .. id, 'state', 'QUEUED', 'seq', seq, 'ticket', next_ticket(),
    'patience_ms', patience_ms)
  redis.call('ZADD', DEADLINES, NOW + patience_ms, id)
  to_publish(flow.id, id, seq, 0)
end

-- Let a countdown run for a delivery; its task is published by the caller, with the wait.
local function count_down(flow, id, seq, destination, due_ms)
  add(flow, 'active', -1)
  add(flow, 'counting', 1)
  redis.call('SADD', prefix .. 'countdowns:' .. destination, id)
  redis.call('HSET', prefix .. 'delivery:' .. id, 'state', 'RETRYING', 'seq', seq, 'due_ms', text(due_ms),
    'countdown', destination)
  redis.call('ZADD', DEADLINES, due_ms + RULES.retry_grace_ms, id)
end

-- Hand a delivery to Celery, at once or after a wait.
local function hand_out(flow, id, seq, wait_ms)
  if wait_ms <= 0 then return queue(flow, id, seq, RULES.patience_ms) end
  redis.call('HSET', prefix .. 'delivery:' .. id, 'ticket', next_ticket())
  count_down(flow, id, seq, flow.destination, NOW + wait_ms)
  to_publish(flow.id, id, seq, wait_ms)
end

-- Make a delivery of a letter again. Its earlier attempts make it a replay.
local function revive(flow, id, letter)
  take_out(flow, id, letter)
  if letter.attempts ~= '0' then
    letter.replay = '1'
    count('replays', 1)
  end
  for _, name in ipairs({ 'reason', 'parked_at_ms', 'record', 'due_ms', 'index', 'size', 'version' }) do letter[name] = nil end
  local flat = {}
  for field, value in pairs(letter) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  redis.call('HSET', prefix .. 'delivery:' .. id, unpack(flat))
end

-- Take a letter out of the hash and hand it to Celery, at once or after a wait.
local function unpark(flow, id, letter, wait_ms)
  revive(flow, id, letter)
  add(flow, 'active', 1)
  hand_out(flow, id, letter.seq + 1, wait_ms)
end

-- Put what was sent in vain with others back to its place, as if it had not gone: who is to blame is not known yet. With
-- `together` it goes next with so many at most, itself among them.
local function put_back(flow, id, together, lapses)
  if not flow.exists then -- and swept maybe: nobody would look for what is parked now
    if forget(id) then count('deliveries:subscription_deleted', 1) end
    return
  end
  local delivery = prefix .. 'delivery:' .. id
  redis.call('HINCRBY', delivery, 'attempts', -1)
  if together then redis.call('HSET', delivery, 'together', together) end
  park(id, 'behind', '', nil, lapses)
end

-- Whether a delivery is still with the leader whose claim had it.
local function is_passenger_of(leader, id)
  return redis.call('HGET', prefix .. 'delivery:' .. id, 'leader') == leader
end

-- The ids of those that are still with a leader, which keeps none any more.
local function passengers_of(id, lease)
  local ids, delivery = {}, prefix .. 'delivery:' .. id
  local noted = redis.call('HGET', delivery, 'passengers')
  if not noted then return ids end
  redis.call('HDEL', delivery, 'passengers')
  for passenger in string.gmatch(noted, '%S+') do
    if is_passenger_of(id .. ':' .. lease, passenger) then ids[#ids + 1] = passenger end
  end
  return ids
end

-- Give a letter another reason and due time, at its place.
local function restate(flow, id, letter, reason, due_ms)
  take_out(flow, id, letter)
  letter.reason = reason
  keep(flow, id, letter, due_ms)
end

-- Remove a subscription, mark its parked deliveries for the sweep (L8): O(1) however many there are.
local function delete_subscription(id)
  if redis.call('HDEL', SUBSCRIPTIONS, id) == 0 then return false end
  local flow = flow_of(id)
  flow.exists = false
  nothing_to_wake(flow)
  redis.call('ZADD', prefix .. 'subscriptions:deleted', next_generation(id), id)
  return true
end
