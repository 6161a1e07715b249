-- Complete and claim: the healthy path of many workers' threads in one round trip (L5, L21).
--
-- Reads   subscriptions, subscriptions:generation, event-service, slots
-- Writes  delivery:*, body:*, deadlines, dead-letters and their indexes, countdowns:*, flow:*, destination:*, inflight:*,
--         workers, watermark, counters
--
-- ARGV  1 name of the worker    2 count of completions
--       then per completion: id, lease, subscription, destination, generation of its breaker, how it was answered: 'fast',
--       'slowing' or empty,
--       count of passengers, and their ids
--       then per claim: id, seq
-- Returns {generation, tickets, notices, reply per claim}: a reply is the reason of a refusal, or
--       {lease, subscription, event, shape, attempt, payload, recorded_at_ms, destination, generation of its breaker,
--        1 when it is a replay, mode, events lost that the subscriber was not told of, how many passengers it has room for,
--        traceparent or empty}

local WATERMARK = prefix .. 'watermark'
local found = redis.call('MGET', prefix .. 'subscriptions:generation', WATERMARK, EVENT_SERVICE)
local generation, watermark = found[1] or '0', tonumber(found[2] or 0)
hear(found[3])

local at = 3
for _ = 1, tonumber(ARGV[2]) do
  local id, lease, flow, destination = ARGV[at], ARGV[at + 1], flow_of(ARGV[at + 2]), destination_of(ARGV[at + 3])
  if forget(id) then count('deliveries:delivered', 1) end
  land(destination, id, lease)
  note_success(destination)
  local did_close = answer_of(destination, tonumber(ARGV[at + 4]), ARGV[at + 5] == 'fast')
  local is_slowing = ARGV[at + 5] == 'slowing'
  at = at + 6
  for passenger = at + 1, at + ARGV[at] do
    if forget(ARGV[passenger]) then count('deliveries:delivered', 1) end
  end
  succeed(flow, is_slowing)
  go_on(flow, destination, did_close)
  at = at + 1 + ARGV[at]
end

local highest = watermark

-- Whether a subscription has as many under way as it wants, this one among them. Of one that sends and forgets, what is in
-- flight has no record: what its destination has in flight counts instead.
local function is_over_own_limit(flow, destination)
  if not flow.max_in_flight then return false end
  return flow.active > flow.max_in_flight or (flow.is_once and in_flight_count(destination) >= flow.max_in_flight)
end

-- Why a delivery may not go out now, as a reason to park it; nil when it may.
local function hindrance(flow, destination, id)
  if flow.suspended or not is_enabled() then return 'suspended' end
  if is_closed(destination) then
    return (is_over_own_limit(flow, destination) or is_over_cap(destination)) and 'over_cap' or nil
  end
  if destination.state == 'half_open' and destination.probe == id then
    if is_probe_due(destination) then hold_probe(destination) end -- given up, but it comes before another one
    return nil
  end
  if not is_probe_due(destination) or destination.is_unreachable then return 'breaker_open' end
  begin_probe(destination, id)
  return nil
end

-- How many lost events whoever sends the next delivery is to tell of (L15): one at a time, so that none is told twice and
-- none is taken for told.
local function to_tell(flow)
  if flow.lost == 0 or flow.telling_until_ms > NOW then return 0 end
  flow.telling_until_ms = NOW + RULES.lease_ms
  redis.call('HSET', flow.key, 'telling_until_ms', text(flow.telling_until_ms))
  return flow.lost
end

-- How many of those that wait may go with a delivery, in its request; a probe goes alone.
local function room_beside(flow, destination, together)
  if not flow.batch or flow.is_once or not is_closed(destination) or not is_waiting(flow) then return 0 end
  return math.min(flow.batch, tonumber(together or flow.batch)) - 1
end

local function claim(id, seq)
  local delivery = prefix .. 'delivery:' .. id
  local found = redis.call('HMGET', delivery, 'seq', 'state', 'ticket', 'subscription', 'event', 'shape', 'attempts',
    'countdown', 'replay', 'together')
  if not found[1] then return 'gone' end
  local ticket = tonumber(found[3])
  if ticket > highest then highest = ticket end
  if found[1] ~= seq then return 'stale' end
  if found[2] ~= 'QUEUED' and found[2] ~= 'RETRYING' then return 'not_claimable' end
  local flow = flow_of(found[4])
  if not flow.exists then
    forget(id)
    count('deliveries:subscription_deleted', 1)
    return 'subscription_deleted'
  end
  leave_countdown(flow, id, found[8])
  local body = redis.call('HMGET', prefix .. 'body:' .. found[5], 'payload', 'recorded_at_ms', 'traceparent')
  if not body[1] then
    park(id, 'broken', cjson.encode({ detail = 'the body is missing from the store' }), nil)
    return 'body_missing'
  end
  local destination = destination_of(flow.destination)
  local reason = hindrance(flow, destination, id)
  if reason then
    if destination.probe == id then open(destination, destination.interval_ms, 0) end -- another one is to probe
    park(id, reason, '', nil)
    return reason
  end
  -- The claim uses the seq up: a second copy of the same task is refused whatever became of the first.
  local lease, attempt = seq + 1, found[7] + 1
  local until_ms = NOW + RULES.lease_ms
  if flow.is_once then
    forget(id)
    count('deliveries:at_most_once', 1)
  else
    redis.call('HSET', delivery, 'state', 'SENDING', 'seq', lease, 'attempts', attempt)
    redis.call('ZADD', DEADLINES, until_ms, id)
  end
  take_off(destination, id, lease, NOW + RULES.flight_ms)
  local mode = flow.is_ordered and 'ordered' or flow.is_once and 'at_most_once' or ''
  return { lease, found[4], found[5], found[6], attempt, body[1], body[2], flow.destination, destination.generation,
    found[9] == '1' and 1 or 0, mode, to_tell(flow), room_beside(flow, destination, found[10]),
    body[3] or '' }
end

local result = { generation, tickets, notices }
if at < #ARGV then redis.call('ZADD', prefix .. 'workers', NOW, ARGV[1] .. ' ' .. RULES.slots) end
while at < #ARGV do
  result[#result + 1] = claim(ARGV[at], ARGV[at + 1])
  at = at + 2
end
if highest > watermark then redis.call('SET', WATERMARK, highest) end
return result
