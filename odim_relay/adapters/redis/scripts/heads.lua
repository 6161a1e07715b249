-- What is parked for subscriptions: how many deliveries for which reason, and the one that came first. For people to look at, many
-- subscriptions in one round trip; changes nothing.
--
-- Reads   parked-counts:*, parked:*, delayed:*, by-hand:*, dead-letters, body:*
--
-- ARGV  ids of subscriptions
-- Returns per subscription {reasons and counts, flat} and {id, document, record, recorded_at_ms} of the first, empty without any

local LIVE, result = RULES.live, {}
for _, subscription in ipairs(ARGV) do
  local ready = prefix .. 'parked:' .. subscription
  -- What is urgent or live stands before the others, each kind in its order.
  local ranks = { { ready, '-inf', '(' .. text(-LIVE) }, { ready, text(-LIVE), '(0' }, { ready, '0', '+inf' },
    { prefix .. 'delayed:' .. subscription, '-inf', '+inf' }, { prefix .. 'by-hand:' .. subscription, '-inf', '+inf' } }
  local first, lowest
  for _, rank in ipairs(ranks) do
    local head = redis.call('ZRANGEBYSCORE', rank[1], rank[2], rank[3], 'WITHSCORES', 'LIMIT', 0, 1)
    local number = head[1] and tonumber(head[2]) % LIVE
    if number and (not lowest or number < lowest) then first, lowest = head[1], number end
  end
  local document = first and redis.call('HGET', DEAD_LETTERS, first)
  local letter = {}
  if document then
    local event = cjson.decode(document).event or ''
    local body = redis.call('HMGET', prefix .. 'body:' .. event, 'record', 'recorded_at_ms')
    letter = { first, document, body[1] or '', body[2] or '0' }
  end
  result[#result + 1] = redis.call('HGETALL', prefix .. 'parked-counts:' .. subscription)
  result[#result + 1] = letter
end
return result
