-- Tell the ledger that an attempt did not succeed: retry, park or release (L20, L22). Without the lease only what the attempt
-- says of its destination counts. Its passengers go back to their places. What was refused together is taken apart: all of it
-- goes again, half as many at once, until the one to blame stands alone.
--
-- Reads   subscriptions
-- Writes  delivery:*, body:*, deadlines, dead-letters and their indexes, countdowns:*, flow:*, destination:*, inflight:*,
--         subscriptions and their generation (TerminateAfterRetries), tickets, counters
--
-- ARGV  1 id    2 lease    3 subscription    4 destination    5 generation of its breaker
--       6 what the attempt says of the destination: 'alive', 'failing', 'unreachable', 'withheld', or 'nothing'
--       7 its Retry-After, ms, 0 for none    8 last attempt, JSON
--       9 'retry', 'park', 'suspend' or 'release'
--       retry: 10 wait, ms         park, suspend: 10 reason         release: 10 empty
--       then its passengers' ids
-- Returns {what became of it, its seq, wait in ms, tickets, notices}: 'retrying', 'parked', 'queued', 'gone' when its
--       subscription is, or 'lost' without the lease; seq and wait are 0 but for 'retrying'

local id, lease, last, action = ARGV[1], ARGV[2], ARGV[8], ARGV[9]
local says, retry_after_ms = ARGV[6], tonumber(ARGV[7])
local flow, destination = flow_of(ARGV[3]), destination_of(ARGV[4])
local delivery = prefix .. 'delivery:' .. id

land(destination, id, lease)
local found = redis.call('HMGET', delivery, 'state', 'seq', 'attempts', 'replay', 'replays')
local holds = found[1] == 'SENDING' and found[2] == lease

-- A destination that is known to be down, one that is gone, and one that was sent nothing, say nothing of the events.
local was_closed, together = is_closed(destination), nil
if flow.batch and says ~= 'withheld' and (was_closed or says == 'alive') and (action == 'retry' or action == 'park') then
  together = math.max(1, math.floor((#ARGV - 9) / 2))
end
local had_passengers = #ARGV > 10
for at = 11, #ARGV do
  if is_passenger_of(id .. ':' .. lease, ARGV[at]) then put_back(flow, ARGV[at], together) end
end
if holds then
  if together then redis.call('HSET', delivery, 'together', together) end
  if had_passengers then redis.call('HDEL', delivery, 'passengers') end
end
-- If it was to tell of lost events as well, the next one does.
if flow.lost > 0 then redis.call('HDEL', flow.key, 'telling_until_ms') end

local generation, did_close = tonumber(ARGV[5]), false
if says == 'alive' then
  did_close = answer_of(destination, generation, false)
elseif says ~= 'nothing' then
  fail_destination(destination, generation, says == 'unreachable', retry_after_ms, threshold_of(flow, found[4] == '1'))
  -- That it is withheld is our own fault.
  if flow.exists and says ~= 'withheld' then
    local status = cjson.decode(last).status
    fail_flow(flow, status == 429 or status == 503)
  end
end

local function become(what, seq, wait_ms)
  go_on(flow, destination, did_close)
  return { what, seq or 0, wait_ms or 0, tickets, notices }
end

-- What ran out of retries is replayed at growing intervals; at once when its destination recovers.
local function park_exhausted()
  local replays = tonumber(found[5] or 0)
  local wait_ms = math.min(RULES.replay_ms * 2 ^ math.min(replays, 30), RULES.probe_max_ms)
  -- A failure while its destination is well is its own; it must not stand before the others when that recovers.
  if was_closed then redis.call('HSET', delivery, 'replays', replays + 1) end
  local must_probe = not is_closed(destination) and (flow.is_ordered or not is_waiting(flow))
  park(id, 'exhausted', last, not must_probe and NOW + math.max(wait_ms, retry_after_ms) or nil)
  return become('parked')
end

if not holds then return become('lost') end

-- Its subscription was deleted since the claim, and swept maybe: nobody would look for what is parked now.
if action ~= 'release' and not flow.exists then
  forget(id)
  count('deliveries:subscription_deleted', 1)
  return become('gone')
end

if action == 'release' then
  redis.call('HSET', delivery, 'attempts', found[3] - 1)
  queue(flow, id, lease + 1, RULES.patience_ms)
  return become('queued')
end

if had_passengers and (ARGV[10] == 'rejected' or ARGV[10] == 'broken') then
  put_back(flow, id, together)
  return become('parked')
end

if action == 'suspend' then suspend(flow, ARGV[10]) end
if action == 'park' or action == 'suspend' then
  if ARGV[10] == 'exhausted' then return park_exhausted() end
  park(id, ARGV[10], last, nil)
  return become('parked')
end

if found[4] == '1' then return park_exhausted() end -- a replay has one attempt (L24)

if flow.suspended or not is_enabled() then
  park(id, 'suspended', last, nil)
  return become('parked')
end
local wait_ms = tonumber(ARGV[10])
if not is_closed(destination) then
  -- Who was asked to come back later does so itself, at the very moment; all else waits for the breaker.
  local did_open_for_a_wait = was_closed and retry_after_ms > 0
  if not did_open_for_a_wait or retry_after_ms > RULES.max_countdown_ms then
    park(id, 'breaker_open', last, nil)
    return become('parked')
  end
  wait_ms = destination.probe_at_ms - NOW
end
local countdowns = prefix .. 'countdowns:' .. destination.id
if wait_ms > RULES.max_countdown_ms or redis.call('SCARD', countdowns) >= RULES.countdowns then
  park(id, 'over_cap', last, NOW + wait_ms)
  return become('parked')
end
redis.call('HSET', delivery, 'last', last, 'lapses', 0)
count_down(flow, id, lease + 1, destination.id, NOW + wait_ms)
count('deliveries_retried', 1)
return become('retrying', lease + 1, wait_ms)
