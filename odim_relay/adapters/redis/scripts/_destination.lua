-- One destination, whoever subscribed it there: its breaker (L29, L30) and what is in flight to it (L18).
--
-- The breaker's changes are the table of domain/circuit_breaker.py.

local destinations = {}

local function destination_of(id)
  local destination = destinations[id]
  if destination then return destination end
  local key = prefix .. 'destination:' .. id
  local found = redis.call('HMGET', key, 'state', 'generation', 'failures', 'interval_ms', 'probe_at_ms', 'probe',
    'probe_until_ms', 'unreachable', 'fast_at_ms', 'crowded_at_ms', 'success_at_ms')
  destination = {
    key = key,
    id = id,
    state = found[1] or 'closed',
    generation = tonumber(found[2] or 0),
    failures = tonumber(found[3] or 0),
    interval_ms = tonumber(found[4] or RULES.probe_ms),
    probe_at_ms = tonumber(found[5] or 0),
    probe = found[6] or '',
    probe_until_ms = tonumber(found[7] or 0),
    is_unreachable = found[8] == '1',
    fast_at_ms = tonumber(found[9] or 0),
    crowded_at_ms = tonumber(found[10] or 0),
    success_at_ms = tonumber(found[11] or 0),
    in_flight = prefix .. 'inflight:' .. id,
    waiting = prefix .. 'waiting:' .. id,
  }
  destinations[id] = destination
  return destination
end

local function set(destination, values)
  local flat = {}
  for name, value in pairs(values) do
    flat[#flat + 1] = name
    if type(value) == 'number' then value = text(value) end
    flat[#flat + 1] = value
  end
  redis.call('HSET', destination.key, unpack(flat))
end

local function is_closed(destination)
  return destination.state == 'closed'
end

-- Whether a request may probe it now: its time has come, or the last probe never ended.
local function is_probe_due(destination)
  if destination.state == 'open' then return destination.probe_at_ms <= NOW end
  return destination.state == 'half_open' and destination.probe_until_ms <= NOW
end

local function hold_probe(destination)
  destination.probe_until_ms = NOW + RULES.probe_lease_ms
  set(destination, { probe_until_ms = destination.probe_until_ms })
end

local function begin_probe(destination, id)
  destination.state, destination.probe = 'half_open', id
  set(destination, { state = 'half_open', probe = id })
  hold_probe(destination)
  count('probes', 1)
end

local function open(destination, interval_ms, wait_ms)
  if destination.state ~= 'open' then
    destination.generation = destination.generation + 1
    if destination.state == 'closed' then
      count('breakers_opened', 1)
      notice('breaker_opened', destination.id)
      set(destination, { opened_at_ms = NOW })
    end
  end
  destination.state, destination.interval_ms, destination.probe_at_ms = 'open', interval_ms, NOW + wait_ms
  set(destination, { state = 'open', generation = destination.generation, interval_ms = interval_ms,
    probe_at_ms = destination.probe_at_ms, probe = '' })
end

-- Count a failure of the destination. An outcome of an earlier generation says nothing about now.
local function fail_destination(destination, generation, is_unreachable, retry_after_ms, threshold)
  if generation ~= destination.generation then return end
  destination.failures = destination.failures + 1
  destination.is_unreachable = is_unreachable
  set(destination, { failures = destination.failures, unreachable = is_unreachable and '1' or '0', fast_at_ms = 0 })
  destination.fast_at_ms = 0
  if destination.state == 'closed' then
    if retry_after_ms > 0 then open(destination, RULES.probe_ms, retry_after_ms)
    elseif destination.failures >= threshold then open(destination, RULES.probe_ms, RULES.probe_ms) end
  else
    local interval_ms = math.min(2 * destination.interval_ms, RULES.probe_max_ms)
    open(destination, interval_ms, math.max(interval_ms, retry_after_ms))
  end
end

-- The destination answered: it is alive, even if it refused. Returns true when its breaker closed by that.
local function answer_of(destination, generation, is_fast)
  if is_fast and NOW - destination.fast_at_ms > 200 then
    destination.fast_at_ms = NOW
    set(destination, { fast_at_ms = NOW })
  end
  if generation ~= destination.generation then return false end
  if is_closed(destination) then
    if destination.failures > 0 then
      destination.failures = 0
      set(destination, { failures = 0 })
    end
    return false
  end
  destination.state, destination.generation, destination.failures = 'closed', destination.generation + 1, 0
  redis.call('HDEL', destination.key, 'state', 'failures', 'interval_ms', 'probe_at_ms', 'probe', 'probe_until_ms',
    'unreachable', 'cursor', 'end_cursor', 'tries', 'opened_at_ms')
  set(destination, { generation = destination.generation })
  count('breakers_closed', 1)
  notice('breaker_closed', destination.id)
  return true
end

-- A delivery was answered 2xx: noted for people, to the second.
local function note_success(destination)
  if NOW - destination.success_at_ms < 1000 then return end
  destination.success_at_ms = NOW
  set(destination, { success_at_ms = NOW })
end

-- How many worker slots there are, as the workers that claimed lately told.
local known_slots
local function slots()
  known_slots = known_slots or math.max(tonumber(redis.call('GET', prefix .. 'slots') or 0), RULES.slots)
  return known_slots
end

local function is_fast(destination)
  return NOW - destination.fast_at_ms < RULES.fast_for_ms
end

-- How many requests may be in flight to it: a quarter of the slots, so that one that hangs leaves the others room, up to
-- the cap; three quarters for one that answers fast.
local function most_in_flight(destination)
  local most = math.min(RULES.cap, math.max(math.floor(slots() / 4), 1))
  if is_fast(destination) then most = math.max(most, math.floor(slots() * 3 / 4)) end
  return most
end

-- Whether claims were refused lately because too much was in flight.
local function is_crowded(destination)
  return NOW - destination.crowded_at_ms < RULES.crowded_for_ms
end

local function in_flight_count(destination)
  if not destination.in_flight_count then
    redis.call('ZREMRANGEBYSCORE', destination.in_flight, '-inf', NOW)
    destination.in_flight_count = redis.call('ZCARD', destination.in_flight)
  end
  return destination.in_flight_count
end

local function is_over_cap(destination)
  if in_flight_count(destination) < most_in_flight(destination) then return false end
  if NOW - destination.crowded_at_ms > 200 then
    destination.crowded_at_ms = NOW
    set(destination, { crowded_at_ms = NOW })
  end
  return true
end

local function take_off(destination, id, lease, until_ms)
  redis.call('ZADD', destination.in_flight, until_ms, id .. ':' .. lease)
  if destination.in_flight_count then destination.in_flight_count = destination.in_flight_count + 1 end
end

local function land(destination, id, lease)
  local removed = redis.call('ZREM', destination.in_flight, id .. ':' .. lease)
  if destination.in_flight_count then destination.in_flight_count = destination.in_flight_count - removed end
end
