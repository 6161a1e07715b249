-- Remember attempts that a worker made: beside the ledger, which knows nothing of it. What is too many or too old leaves.
--
-- Reads   subscriptions
-- Writes  attempts:delivery:*, attempts:subscription:*, attempts:deliveries, attempts:kept:{worker}, measures
--
-- ARGV  1 name of the worker    2 number of its batch
--       3 attempts in a history, at most    4 deliveries that have one, at most    5 how long it is kept, ms
--       6 count of sums; then per sum: name, how much
--       then per attempt: its JSON, its subscription, 1 when it goes into that one's history else 0, 1 when deliveries only get it
--       that have a history else 0, count of deliveries, and their ids
-- Returns 1, or 0 when the batch was kept already

local most, most_deliveries, retention_ms = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local kept = prefix .. 'attempts:kept:' .. ARGV[1]
if tonumber(redis.call('GET', kept) or 0) >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', kept, ARGV[2], 'EX', 3600)

local at = 7
for _ = 1, tonumber(ARGV[6]) do
  redis.call('HINCRBY', prefix .. 'measures', ARGV[at], ARGV[at + 1])
  at = at + 2
end

local DELIVERIES = prefix .. 'attempts:deliveries'
local touched = {}

local function keep(push, key, attempt)
  if redis.call(push, key, attempt) == 0 then return false end
  touched[key] = true
  return true
end

local exists = {}

local function is_there(subscription)
  if exists[subscription] == nil then exists[subscription] = redis.call('HEXISTS', SUBSCRIPTIONS, subscription) == 1 end
  return exists[subscription]
end

while at < #ARGV do
  local attempt, subscription, push = ARGV[at], ARGV[at + 1], ARGV[at + 3] == '1' and 'LPUSHX' or 'LPUSH'
  if is_there(subscription) then
    if ARGV[at + 2] == '1' then keep('LPUSH', prefix .. 'attempts:subscription:' .. subscription, attempt) end
    for place = at + 5, at + 4 + ARGV[at + 4] do
      if keep(push, prefix .. 'attempts:delivery:' .. ARGV[place], attempt) then
        redis.call('ZADD', DELIVERIES, NOW, ARGV[place])
      end
    end
  end
  at = at + 5 + ARGV[at + 4]
end

for key in pairs(touched) do
  redis.call('LTRIM', key, 0, most - 1)
  redis.call('PEXPIRE', key, retention_ms)
end

-- Bounded: where the number was lowered, later batches let the others go.
local surplus = math.min(redis.call('ZCARD', DELIVERIES) - most_deliveries, 2 * RULES.admit_most)
if surplus > 0 then
  for place, id in ipairs(redis.call('ZPOPMIN', DELIVERIES, surplus)) do
    if place % 2 == 1 then redis.call('DEL', prefix .. 'attempts:delivery:' .. id) end
  end
end
redis.call('ZREMRANGEBYSCORE', DELIVERIES, '-inf', NOW - retention_ms)
redis.call('PEXPIRE', DELIVERIES, retention_ms)
return 1
