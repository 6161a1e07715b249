-- Handle deliveries whose deadline lapsed, and sweep those of deleted subscriptions (L8, L20, L23, L26, L27).
-- Safe to run twice at once (L28): each delivery gets a new deadline in the script that looks at it.
--
-- Writes  delivery:*, body:*, deadlines, dead-letters, parked:*, by-hand:*, countdowns:*, subscriptions:deleted, tickets, counters
--
-- ARGV  1 most to handle    2 1 when no task waits in the broker, else 0    3 patience, ms    4 longest patience, ms
--       5 lapses of SENDING after which a delivery is broken
-- Returns {1 when more may be due, else 0, then per task to publish: id, seq}

local most, queue_is_empty, patience = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
local longest_patience, broken_after = tonumber(ARGV[4]), tonumber(ARGV[5])
local now = now_ms()
local watermark = tonumber(redis.call('GET', prefix .. 'watermark') or 0)
local publish = {}

local function to_publish(id, seq)
  publish[#publish + 1] = id
  publish[#publish + 1] = seq
end

local function requeue(id, seq)
  queue(id, seq, patience)
  count('reaped', 1)
  to_publish(id, seq)
end

local function handle(id)
  local delivery = prefix .. 'delivery:' .. id
  local found = redis.call('HMGET', delivery, 'state', 'seq', 'ticket', 'patience_ms', 'lapses', 'subscription', 'countdown')
  local state, seq = found[1], found[2]
  if not state then
    local unparked = unpark(id, patience)
    if unparked then to_publish(id, unparked) else redis.call('ZREM', DEADLINES, id) end
  elseif redis.call('HEXISTS', SUBSCRIPTIONS, found[6]) == 0 then
    forget(id)
    count('deliveries:subscription_deleted', 1)
  elseif state == 'SENDING' then
    local lapses = tonumber(found[5] or 0) + 1
    redis.call('HSET', delivery, 'lapses', lapses)
    if lapses >= broken_after then
      park(id, 'broken', cjson.encode({ detail = 'its worker died or hung ' .. lapses .. ' times while sending it' }), nil)
    else
      requeue(id, seq + 1)
    end
  elseif state == 'RETRYING' then
    leave_countdown(id, found[7])
    redis.call('HSET', delivery, 'countdown', '')
    requeue(id, seq + 1)
  elseif tonumber(found[3]) < watermark or queue_is_empty then
    -- Overtaken: its task is lost, or waits in a worker. The same seq: whichever copy comes first claims, the other is refused.
    local longer = math.min(2 * tonumber(found[4]), longest_patience)
    queue(id, seq, longer)
    count('reaped', 1)
    to_publish(id, tonumber(seq))
  else
    redis.call('ZADD', DEADLINES, now + tonumber(found[4]), id)
  end
end

local lapsed = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, most)
for _, id in ipairs(lapsed) do handle(id) end

local swept = 0
local deleted = redis.call('ZRANGE', prefix .. 'subscriptions:deleted', 0, 0)[1]
if deleted then
  for _, index in ipairs({ prefix .. 'parked:' .. deleted, prefix .. 'by-hand:' .. deleted }) do
    for _, id in ipairs(redis.call('ZRANGE', index, 0, most - 1)) do
      if forget(id) then swept = swept + 1 else redis.call('ZREM', index, id) end
    end
  end
  count('deliveries:subscription_deleted', swept)
  if swept == 0 then redis.call('ZREM', prefix .. 'subscriptions:deleted', deleted) end
end

local more = (#lapsed >= most or swept > 0) and 1 or 0
return { more, unpack(publish) }
