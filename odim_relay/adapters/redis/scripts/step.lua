-- Complete and claim: the healthy path of many workers' threads in one round trip (L5, L21).
--
-- Reads   subscriptions, subscriptions:generation
-- Writes  delivery:*, body:*, deadlines, dead-letters, parked:*, by-hand:*, countdowns:*, watermark, counters
--
-- ARGV  1 lease, ms    2 count of completions
--       then per completion: id
--       then per claim: id, seq
-- Returns {generation, reply per claim}: a reply is the reason of a refusal, or
--       {lease, subscription, event, shape, attempt, payload, recorded_at_ms}

local lease_ms, completion_count = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = now_ms()
local at = 3

local completed = 0
for _ = 1, completion_count do
  if forget(ARGV[at]) then completed = completed + 1 end
  at = at + 1
end
count('deliveries:delivered', completed)

local WATERMARK = prefix .. 'watermark'
local watermark = tonumber(redis.call('GET', WATERMARK) or 0)
local highest = watermark

local function claim(id, seq)
  local delivery = prefix .. 'delivery:' .. id
  local found = redis.call('HMGET', delivery, 'seq', 'state', 'ticket', 'subscription', 'event', 'shape', 'attempts', 'countdown')
  if not found[1] then return 'gone' end
  local ticket = tonumber(found[3])
  if ticket > highest then highest = ticket end
  if found[1] ~= seq then return 'stale' end
  if found[2] ~= 'QUEUED' and found[2] ~= 'RETRYING' then return 'not_claimable' end
  if redis.call('HEXISTS', SUBSCRIPTIONS, found[4]) == 0 then
    forget(id)
    count('deliveries:subscription_deleted', 1)
    return 'subscription_deleted'
  end
  leave_countdown(id, found[8])
  local body = redis.call('HMGET', prefix .. 'body:' .. found[5], 'payload', 'recorded_at_ms')
  if not body[1] then
    park(id, 'broken', cjson.encode({ detail = 'the body is missing from the store' }), nil)
    return 'body_missing'
  end
  -- The claim uses the seq up: a second copy of the same task is refused whatever became of the first.
  local lease, attempt = seq + 1, found[7] + 1
  redis.call('HSET', delivery, 'state', 'SENDING', 'seq', lease, 'attempts', attempt, 'countdown', '')
  redis.call('ZADD', DEADLINES, now + lease_ms, id)
  return { lease, found[4], found[5], found[6], attempt, body[1], body[2] }
end

local result = { redis.call('GET', prefix .. 'subscriptions:generation') or '0' }
while at < #ARGV do
  result[#result + 1] = claim(ARGV[at], ARGV[at + 1])
  at = at + 2
end
if highest > watermark then redis.call('SET', WATERMARK, highest) end
return result
