-- Who may go: the window (L14), the drain (L31 to L33), probes (L30).

-- How many deliveries of a subscription may be under way; and whether each place counts, so that none waits for a batch.
local function most_under_way(flow)
  if flow.suspended or not flow.exists or not is_enabled() then return 0 end
  local destination = destination_of(flow.destination)
  if not is_closed(destination) then return 0 end
  if flow.is_ordered then return 1 end
  local most, is_tight = flow.allowance, false
  -- What cannot go out would only be claimed and parked again.
  if is_crowded(destination) then most, is_tight = math.min(most, most_in_flight(destination)), true end
  -- What comes while others wait must not queue behind more of them than can be in flight.
  if is_waiting(flow) and most_in_flight(destination) < most then most, is_tight = most_in_flight(destination), true end
  if flow.max_in_flight and flow.max_in_flight <= most then most, is_tight = flow.max_in_flight, true end
  -- What comes while few batches are under way waits, and goes with the next ones.
  if flow.batch then most, is_tight = math.min(most, RULES.batches), true end
  return most, is_tight
end

-- Whether a new delivery may go though others wait: what comes now need not be late because they are. Few at a time, and not
-- more of them between two that had waited, so that those go on. With a limit of its own, within that.
local function may_pass(flow)
  if flow.passed >= RULES.passing then return false end
  local most = most_under_way(flow)
  local with_passing = most + math.min(RULES.passing, most)
  return flow.active < math.min(with_passing, flow.max_in_flight or with_passing)
end

-- What becomes of a letter whose turn has come: nil when it may go, else it went another way.
local function is_sorted_out(flow, id, letter, newer)
  flow.is_waiting = nil
  if newer then
    redis.call('ZREM', flow.ready, id)
    redis.call('ZREM', flow.delayed, id)
    redis.call('ZADD', flow.by_hand, newer.number, id)
    return true
  end
  if not letter then
    redis.call('ZREM', flow.ready, id)
    redis.call('ZREM', flow.delayed, id)
    return true
  end
  local taken_ms = tonumber(letter.taken_ms)
  if taken_ms + flow.retention_ms <= NOW then return drop(flow, id, 'expired') end
  if flow.since_ms == nil then flow.since_ms = tonumber(redis.call('HGET', flow.key, 'since_ms') or 0) end
  if taken_ms < flow.since_ms then return drop(flow, id, 'discarded') end
  return false
end

-- How many per second what waits may go out with: by its subscription's own rate, and that of every drain; 0 is unlimited.
local function rate_of(flow)
  if not flow.rate then return RULES.drain_rate end
  return RULES.drain_rate > 0 and math.min(flow.rate, RULES.drain_rate) or flow.rate
end

-- The wait that a rate asks of the next one, in ms; the one after it waits longer.
local function pace(flow, rate)
  if rate <= 0 then return 0 end
  local at = math.max(NOW, flow.next_at_ms)
  flow.next_at_ms = at + math.ceil(1000 / rate)
  redis.call('HSET', flow.key, 'next_at_ms', text(flow.next_at_ms))
  return at - NOW
end

-- Whether a letter that is recalled shall rather keep its own time: it failed again and again while others went through.
local function is_resting(letter)
  return letter.index == 'delayed' and tonumber(letter.replays or 0) > 1
end

-- The next id in turn: of those that are ready; then, after a recovery, of those that wait for times of their own. After some
-- that stood ahead one that does not.
local function next_in_turn(flow)
  if is_waiting(flow) then
    local has_passed = not flow.is_ordered and RULES.passing > 0 and flow.passed >= RULES.passing
    local found = has_passed and redis.call('ZRANGEBYSCORE', flow.ready, 0, '+inf', 'LIMIT', 0, 1)
    if found and found[1] then return found[1] end
    found = redis.call('ZRANGE', flow.ready, 0, 0, 'WITHSCORES')
    return found[1], tonumber(found[2]) < 0
  end
  if not flow.recall then return nil end
  local found = redis.call('ZRANGEBYSCORE', flow.delayed, '(' .. flow.recall, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if found[1] then
    flow.recall = found[2]
    redis.call('HSET', flow.key, 'recall', found[2])
  else
    flow.recall = false
    redis.call('HDEL', flow.key, 'recall')
  end
  return found[1]
end

-- Hand the next ones of a subscription to Celery, as many as may be under way. In batches: when half of them are done.
local function admit(flow)
  local most, is_tight = most_under_way(flow)
  if flow.active >= most or (not is_tight and 2 * flow.active > most) then return end
  -- What is ordered waits for the one in a countdown, and a paced drain is carried by countdowns.
  local rate = rate_of(flow)
  local is_counting_too = flow.is_ordered or rate > 0
  if rate > 0 then most = math.min(most, RULES.countdowns) end
  for _ = 1, RULES.admit_most do
    if flow.active + (is_counting_too and flow.counting or 0) >= most then return end
    if rate > 0 and flow.next_at_ms - NOW > RULES.max_countdown_ms then return end
    local id, is_ahead = next_in_turn(flow)
    if not id then return end
    local letter, newer = letter_of(id)
    if not is_sorted_out(flow, id, letter, newer) and not is_resting(letter) then
      if flow.is_ordered and letter.due_ms and tonumber(letter.due_ms) > NOW then return end -- blocked by its head
      unpark(flow, id, letter, pace(flow, rate))
      pass(flow, is_ahead and flow.passed + 1 or 0)
    end
  end
end

-- Choose the delivery that probes a destination: each time another one, from both ends in turn, so that neither one that
-- always fails nor many of them in a row can keep it shut. Ordered subscriptions offer their oldest only, and none while an
-- older one is under way.
local function candidate_of(destination)
  local is_from_end = redis.call('HINCRBY', destination.key, 'tries', 1) % 2 == 0
  local place = is_from_end and 'end_cursor' or 'cursor'
  local cursor = redis.call('HGET', destination.key, place) or (is_from_end and '+inf' or '-inf')
  local chosen, first = nil, nil -- beyond the cursor, and of all

  local function is_before(one, other)
    return not other or (is_from_end and one.number > other.number) or (not is_from_end and one.number < other.number)
  end

  local function offer(flow, ...)
    local found = redis.call(...)
    return found[1] and { id = found[1], number = tonumber(found[2]), flow = flow, place = place }
  end

  for _, subscription in ipairs(redis.call('SRANDMEMBER', destination.waiting, 100)) do
    local flow = flow_of(subscription)
    local is_busy = flow.is_ordered and flow.active + flow.counting > 0
    if flow.exists and not flow.suspended and not is_busy then
      local head, following
      if flow.is_ordered then
        head = offer(flow, 'ZRANGE', flow.ready, 0, 0, 'WITHSCORES')
      elseif is_from_end then
        head = offer(flow, 'ZREVRANGE', flow.ready, 0, 0, 'WITHSCORES')
        following = offer(flow, 'ZREVRANGEBYSCORE', flow.ready, '(' .. cursor, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
      else
        head = offer(flow, 'ZRANGE', flow.ready, 0, 0, 'WITHSCORES')
        following = offer(flow, 'ZRANGEBYSCORE', flow.ready, '(' .. cursor, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
      end
      if following and is_before(following, chosen) then chosen = following end
      if head and is_before(head, first) then first = head end
    end
  end
  return chosen or first
end

local function probe(destination)
  if not is_enabled() then return end
  for _ = 1, RULES.admit_most do
    local candidate = candidate_of(destination)
    if not candidate then return end
    redis.call('HSET', destination.key, candidate.place, candidate.number)
    local id, flow = candidate.id, candidate.flow
    local letter, newer = letter_of(id)
    if not is_sorted_out(flow, id, letter, newer) then
      begin_probe(destination, id)
      unpark(flow, id, letter, 0)
      return
    end
  end
end

-- Look whether something that waits may go now.
local function wake(flow)
  if not flow.exists or flow.suspended then return nothing_to_wake(flow) end
  if not is_enabled() then return end -- it stays due
  local destination = destination_of(flow.destination)
  if is_closed(destination) then admit(flow)
  elseif is_probe_due(destination) and not destination.is_unreachable then probe(destination) end
  if not is_waiting(flow) then nothing_to_wake(flow) end
end

-- Start anew slowly, and with what waits for a time of its own too.
local function recover(flow)
  allow(flow, 1)
  redis.call('HSET', flow.key, 'recall', 0)
  flow.recall = '0'
  wake(flow)
end

-- After an answer: what waits for this destination goes on. When that closed the breaker, everything that waits does, from a
-- slow start, and what waits in a countdown or for its own time need not wait any longer.
local function go_on(flow, destination, did_close)
  if not did_close then
    admit(flow)
    -- Room that another subscription was refused for the cap, and that nothing of its own would tell it of.
    if is_crowded(destination) then
      for _, subscription in ipairs(redis.call('SRANDMEMBER', destination.waiting, 2)) do wake(flow_of(subscription)) end
    end
    return
  end
  local is_paced_anew = {}
  for _, id in ipairs(redis.call('SMEMBERS', prefix .. 'countdowns:' .. destination.id)) do
    local found = redis.call('HMGET', prefix .. 'delivery:' .. id, 'seq', 'subscription')
    local owner = flow_of(found[2])
    leave_countdown(owner, id, destination.id)
    if owner.rate and not is_paced_anew[owner.id] then
      is_paced_anew[owner.id] = true
      owner.next_at_ms = math.min(owner.next_at_ms, NOW + math.ceil(1000 / owner.rate))
    end
    hand_out(owner, id, found[1] + 1, pace(owner, owner.rate or 0))
  end
  for _, subscription in ipairs(redis.call('SRANDMEMBER', destination.waiting, 100)) do recover(flow_of(subscription)) end
  if flow.exists and not flow.suspended then recover(flow) end -- what probed may have been its last one that was ready
end

-- Its receiver cannot keep up: half as many may be under way, until successes allow one more each. Answers that overlap
-- are one sign.
local function shrink(flow)
  local most = flow.allowance
  if most >= RULES.window then most = math.min(RULES.window, math.max(flow.active + 1, 2 * RULES.shrunk)) end
  if most <= 1 or NOW - flow.shrunk_at_ms < RULES.shrink_ms then return end
  flow.shrunk_at_ms = NOW
  redis.call('HSET', flow.key, 'shrunk_at_ms', text(NOW))
  allow(flow, math.floor(most / 2))
end

-- The attempt of a subscription succeeded: it may have one more under way while it recovers, unless its answers get slow.
local function succeed(flow, is_slowing)
  if flow.failures > 0 then
    flow.failures = 0
    redis.call('HDEL', flow.key, 'failures', 'failed_at_ms')
  end
  if is_slowing then shrink(flow)
  elseif flow.allowance < RULES.window then allow(flow, flow.allowance + 1) end
end

local function suspend(flow, reason)
  if flow.suspended then return end
  nothing_to_wake(flow)
  flow.suspended = reason
  redis.call('HSET', flow.key, 'suspended', reason, 'suspended_at_ms', text(NOW))
  count('subscriptions_suspended:' .. reason, 1)
  notice('suspended', flow.id, reason)
end

-- How far apart two failures must be to be two.
local function failure_spacing_ms()
  local interval_s = event_service().retry_interval_s
  return interval_s and 1000 * interval_s * RULES.spacing_share or RULES.failure_spacing_ms
end

-- An attempt or a probe of a subscription failed (L25). Attempts that overlapped are one failure: a subscription is not
-- given up for one blip that met sixteen requests.
local function fail_flow(flow, is_overloaded)
  if is_overloaded or (flow.allowance > 1 and is_waiting(flow)) then shrink(flow) end
  if flow.policy == '' or flow.suspended or not flow.exists then return end
  local failed_at_ms = tonumber(redis.call('HGET', flow.key, 'failed_at_ms') or 0)
  if NOW - failed_at_ms < failure_spacing_ms() then return end
  flow.failures = flow.failures + 1
  redis.call('HSET', flow.key, 'failures', flow.failures, 'failed_at_ms', text(NOW))
  if flow.failures <= (event_service().retry_attempts or RULES.retries) then return end
  if flow.policy == 'suspend' then
    suspend(flow, 'attempts_used_up')
  elseif delete_subscription(flow.id) then
    count('subscriptions_terminated', 1)
    notice('terminated', flow.id)
  end
end

-- The breaker trips earlier while what waited is drained (L32), and later over replays: those that fail may be bad
-- themselves, and stand together at the head of what waits.
local function threshold_of(flow, is_replay)
  if is_replay then return math.max(RULES.replay_failures, RULES.breaker_failures) end
  if is_waiting(flow) then return math.min(RULES.drain_failures, RULES.breaker_failures) end
  return RULES.breaker_failures
end

-- A person wants it now: the next probe does not wait for its time.
local function hurry(flow)
  local destination = destination_of(flow.destination)
  if is_closed(destination) then return end
  destination.is_unreachable = false
  set(destination, { unreachable = '0' })
  if destination.state == 'open' then
    destination.probe_at_ms = NOW
    set(destination, { probe_at_ms = NOW })
  end
end
