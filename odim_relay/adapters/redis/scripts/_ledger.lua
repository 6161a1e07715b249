-- Put in front of every script, after RULES (the settings that scripts obey, see rules.py): what they all share.
--
-- KEYS[1]  the key prefix. The keys themselves are made here, from ids found in other keys: the ledger needs one Redis,
--          never a Cluster (L34). Every key is documented in keys.py.

local prefix = KEYS[1]

local DEADLINES = prefix .. 'deadlines'
local DEAD_LETTERS = prefix .. 'dead-letters'
local COUNTERS = prefix .. 'counters'
local SUBSCRIPTIONS = prefix .. 'subscriptions'
local DUE = prefix .. 'due'
local BACKLOGS = prefix .. 'backlogs'
local EVENT_SERVICE = prefix .. 'event-service'
local INVENTORY_VERSION = prefix .. 'inventory:version'
-- payload, record, recorded_at_ms: what a body holds beside the deliveries that need it, and maybe a traceparent
local BODY_FIELDS = 3

local function clock_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local NOW = clock_ms() -- one moment for the whole script

local function text(number)
  return string.format('%.0f', number)
end

-- Counters are summed up and written at the end of the script.
local counts = {}

local function count(name, by)
  counts[name] = (counts[name] or 0) + by
end

-- What an administrator says for all; read once per script, where it is asked for.
local said

local function hear(document)
  said = document and cjson.decode(document) or {}
end

local function event_service()
  if not said then hear(redis.call('GET', EVENT_SERVICE)) end
  return said
end

-- Whether anything is sent at all.
local function is_enabled()
  return event_service().is_enabled ~= false
end

local function next_ticket()
  return redis.call('INCR', prefix .. 'tickets')
end

-- Raise the generation of the subscriptions, for a change of the one named, or of what counts for all. By the clock: a
-- generation whose write was lost is never given again, and the ones that this database had are kept, so that a cache of a
-- lost one is found out. Who knows an older one than those reads everything: no earlier change is asked for.
local function next_generation(subscription)
  local last = tonumber(redis.call('GET', prefix .. 'subscriptions:generation') or 0)
  local time = redis.call('TIME') -- in microseconds: changes never come that fast, so the number stays behind the clock
  local generation = text(math.max(last + 1, time[1] * 1000000 + time[2]))
  redis.call('SET', prefix .. 'subscriptions:generation', generation)
  if subscription then
    redis.call('ZADD', prefix .. 'subscriptions:changes', generation, subscription)
    redis.call('ZREMRANGEBYRANK', prefix .. 'subscriptions:changes', 0, -1001)
  end
  redis.call('ZADD', prefix .. 'subscriptions:generations', generation, generation)
  redis.call('ZREMRANGEBYRANK', prefix .. 'subscriptions:generations', 0, -1001)
  return generation
end

-- What the caller is to hand to Celery: id, subscription, seq, wait in ms, flat.
local tickets = {}

local function to_publish(subscription, id, seq, wait_ms)
  tickets[#tickets + 1] = id
  tickets[#tickets + 1] = subscription
  tickets[#tickets + 1] = tonumber(seq)
  tickets[#tickets + 1] = math.floor(wait_ms or 0)
end

-- What people want to hear of, each once per change: a name and an id. It stands in the outbox until it is told; the caller is
-- to have that done soon.
local notices = {}

local function notice(name, id, detail)
  notices[#notices + 1] = detail and name .. '_' .. detail or name
  notices[#notices + 1] = id
  local number = redis.call('HINCRBY', prefix .. 'notices:state', 'last', 1)
  local change = { name = name, subject = id, detail = detail, noted_at_ms = text(NOW) }
  redis.call('HSET', prefix .. 'notices', number, cjson.encode(change))
  redis.call('ZADD', prefix .. 'notices:order', number, number)
  if redis.call('ZCARD', prefix .. 'notices:order') > RULES.notices_most then
    redis.call('HDEL', prefix .. 'notices', redis.call('ZPOPMIN', prefix .. 'notices:order')[1])
    count('discarded:notices_over_quota', 1)
  end
end

-- How deliveries of a subscription flow, as `flow:{subscription}` says; read once per script, written through.
local flows = {}

local function flow_of(subscription)
  local flow = flows[subscription]
  if flow then return flow end
  local key = prefix .. 'flow:' .. subscription
  local found = redis.call('HMGET', key, 'destination', 'mode', 'policy', 'active', 'counting', 'suspended',
    'allowance', 'failures', 'recall', 'lost', 'telling_until_ms', 'max_in_flight', 'rate', 'next_at_ms', 'retention_ms',
    'batch', 'passed', 'shrunk_at_ms')
  flow = {
    key = key,
    id = subscription,
    exists = redis.call('HEXISTS', SUBSCRIPTIONS, subscription) == 1,
    destination = found[1] or subscription,
    is_ordered = found[2] == 'ordered',
    is_once = found[2] == 'at_most_once',
    policy = found[3] or '',
    active = tonumber(found[4] or 0), -- queued or in sending
    counting = tonumber(found[5] or 0), -- in a countdown
    suspended = found[6] or nil,
    allowance = tonumber(found[7] or RULES.window),
    failures = tonumber(found[8] or 0),
    recall = found[9],
    lost = tonumber(found[10] or 0),
    telling_until_ms = tonumber(found[11] or 0),
    max_in_flight = tonumber(found[12]), -- nil for no limit of its own, as is its rate
    rate = tonumber(found[13]),
    next_at_ms = tonumber(found[14] or 0),
    retention_ms = tonumber(found[15] or RULES.retention_ms),
    batch = tonumber(found[16]), -- how many events go out in one request at most; nil for one each
    passed = tonumber(found[17] or 0), -- new ones that went since the last that had waited
    shrunk_at_ms = tonumber(found[18] or 0),
    ready = prefix .. 'parked:' .. subscription,
    delayed = prefix .. 'delayed:' .. subscription,
    by_hand = prefix .. 'by-hand:' .. subscription,
    counts = prefix .. 'parked-counts:' .. subscription,
  }
  flows[subscription] = flow
  return flow
end

-- Count how many are under way, `active` or `counting`; written at the end of the script.
local function add(flow, what, by)
  flow[what] = flow[what] + by
  flow.is_changed = true
end

-- Write what was summed up. Called when the script's own part has run.
local function write_sums()
  for name, by in pairs(counts) do
    if by > 0 then redis.call('HINCRBY', COUNTERS, name, by) end
  end
  for _, flow in pairs(flows) do
    -- Of a deleted subscription the flow is kept until nothing of it is under way.
    if not flow.exists and flow.active <= 0 and flow.counting <= 0 then redis.call('DEL', flow.key)
    elseif flow.is_changed then redis.call('HSET', flow.key, 'active', flow.active, 'counting', flow.counting) end
  end
end

-- Note how many went ahead of those that had waited since the last of them.
local function pass(flow, passed)
  passed = math.min(passed, RULES.passing)
  if passed == flow.passed then return end
  flow.passed = passed
  if passed == 0 then redis.call('HDEL', flow.key, 'passed') else redis.call('HSET', flow.key, 'passed', passed) end
end

local function allow(flow, allowance)
  if allowance == flow.allowance then return end
  flow.allowance = allowance
  if allowance >= RULES.window then redis.call('HDEL', flow.key, 'allowance')
  else redis.call('HSET', flow.key, 'allowance', allowance) end
end
