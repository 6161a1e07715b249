-- Handle deliveries whose deadline lapsed, and sweep those of deleted subscriptions (L8, L20, L23, L26, L27).
-- Safe to run twice at once (L28): each delivery gets a new deadline in the script that looks at it.
--
-- Writes  delivery:*, body:*, deadlines, dead-letters and their indexes, countdowns:*, flow:*, destination:*, workers, slots,
--         subscriptions:deleted, tickets, counters
--
-- ARGV  1 1 when no task waits in the broker, else 0
-- Returns {1 when more may be due, else 0, tickets, notices}

local queue_is_empty = ARGV[1] == '1'
local watermark = tonumber(redis.call('GET', prefix .. 'watermark') or 0)

local function requeue(flow, id, seq, patience_ms)
  queue(flow, id, seq, patience_ms)
  count('reaped', 1)
end

-- The time of a parked delivery has come: it takes its turn.
local function handle_parked(id)
  local letter, newer = letter_of(id)
  if newer then
    redis.call('ZREM', DEADLINES, id)
    is_sorted_out(flow_of(newer.subscription), id, letter, newer)
  elseif letter then
    local flow = flow_of(letter.subscription)
    local is_shut = not is_closed(destination_of(flow.destination))
    if is_shut and not flow.is_ordered and is_waiting(flow) then
      -- Others are there to probe with; when one of them succeeds this one is recalled.
      restate(flow, id, letter, letter.reason, NOW + RULES.probe_max_ms)
    else
      restate(flow, id, letter, letter.reason, nil)
      wake(flow)
    end
  else
    redis.call('ZREM', DEADLINES, id)
  end
end

-- Its worker died or hung.
local function handle_sending(flow, id, seq, leader)
  local delivery = prefix .. 'delivery:' .. id
  local lapses = redis.call('HINCRBY', delivery, 'lapses', 1)
  if lapses >= RULES.broken_after then
    park(id, 'broken', cjson.encode({ detail = 'its worker died or hung ' .. lapses .. ' times while sending it' }), nil)
    wake(flow)
  elseif leader then
    put_back(flow, id, 1, lapses)
    wake(flow)
  else
    if flow.batch then redis.call('HSET', delivery, 'together', 1) end
    requeue(flow, id, seq + 1, RULES.patience_ms)
  end
end

local is_handled = {}

local function handle(id)
  local delivery = prefix .. 'delivery:' .. id
  local found = redis.call('HMGET', delivery, 'state', 'seq', 'ticket', 'patience_ms', 'subscription', 'countdown', 'leader')
  local state, seq = found[1], found[2]
  if not state then return handle_parked(id) end
  local flow = flow_of(found[5])
  if not flow.exists then
    forget(id)
    count('deliveries:subscription_deleted', 1)
  elseif state == 'SENDING' then
    -- What was together when a worker died goes one by one, so that the one that kills workers is found. All of it now: who
    -- is next must not pass it.
    for _, passenger in ipairs(passengers_of(id, seq)) do
      handle_sending(flow, passenger, nil, id)
      is_handled[passenger] = true
    end
    handle_sending(flow, id, seq, found[7])
  elseif state == 'RETRYING' then
    leave_countdown(flow, id, found[6])
    requeue(flow, id, seq + 1, RULES.patience_ms)
  elseif tonumber(found[3]) < watermark or queue_is_empty then
    -- Overtaken: its task is lost, or waits in a worker. The same seq: whichever copy comes first claims, the other is refused.
    requeue(flow, id, seq, math.min(2 * tonumber(found[4]), RULES.longest_patience_ms))
  else
    redis.call('ZADD', DEADLINES, NOW + tonumber(found[4]), id)
  end
end

local lapsed = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', NOW, 'LIMIT', 0, RULES.reap_most)
for _, id in ipairs(lapsed) do
  if not is_handled[id] then handle(id) end
end

local swept = 0
local deleted = redis.call('ZRANGE', prefix .. 'subscriptions:deleted', 0, 0)[1]
if deleted then
  local flow = flow_of(deleted)
  for _, index in ipairs({ flow.ready, flow.delayed, flow.by_hand }) do
    for _, id in ipairs(redis.call('ZRANGE', index, 0, RULES.reap_most - 1)) do
      if forget(id) then swept = swept + 1 else redis.call('ZREM', index, id) end
    end
  end
  count('deliveries:subscription_deleted', swept)
  if swept == 0 then
    redis.call('ZREM', prefix .. 'subscriptions:deleted', deleted)
    redis.call('ZREM', BACKLOGS, deleted)
    redis.call('DEL', flow.counts, prefix .. 'attempts:subscription:' .. deleted)
  end
end

-- Workers that claimed nothing for a minute are not counted.
redis.call('ZREMRANGEBYSCORE', prefix .. 'workers', '-inf', NOW - 60000)
local slots = 0
for _, worker in ipairs(redis.call('ZRANGE', prefix .. 'workers', 0, -1)) do
  slots = slots + tonumber(string.match(worker, '%d+$'))
end
redis.call('SET', prefix .. 'slots', slots)

local is_sweeping = redis.call('EXISTS', prefix .. 'subscriptions:deleted') == 1 -- one at a time, but now

return { (#lapsed >= RULES.reap_most or is_sweeping) and 1 or 0, tickets, notices }
