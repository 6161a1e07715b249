-- Write events with their deliveries, at once or not at all (L9): a batch of the bridge, with the position it leads to; the
-- replay of a quarantined record, with the end of its entry; or events of our own. What does not fit its subscription's
-- window is parked (L14).
--
-- Reads   position:{partition}, subscriptions:generation, event-service
-- Writes  position:{partition}, partitions, starts:{partition}, body:*, delivery:*, deadlines, dead-letters and their indexes,
--         flow:*, tickets, bytes, quarantine*, journal, journal:state, notices*, counters
--
-- ARGV  1 partition as topic:number    2-4 believed topic epoch, offset, cursor    5-7 reached ones; all empty without one.
--       Of an event that tells a change, instead: 2 its number    3 the last one that was reached before, 4 and with this,
--       empty for all    5 numbers of the changes that go with it    6 its topic    7 how long that topic's spell lasts, ms
--       8 generation of the subscriptions it was matched with
--       9 quarantine entry that this is the replay of, else empty
--       10-13 counts of records, events, unmatched, of unknown source
--       14-17 counts of events, deliveries, quarantine entries, kinds of ignored records that follow
--       then per event: id, payload, record, recorded_at_ms, 1 when it goes into the journal else 0, traceparent or empty
--       then per delivery: id, subscription, place of its event (from 1), shape, reason it is parked for at once or empty,
--         1 when it is urgent else 0
--       then per quarantine entry: id, document, value
--       then per kind of ignored records: its name, how many
-- Returns {'position'}, {'generation'}, {'full'} or {'entry'} when refused, else {'written', tickets}

local function forget_quarantined(id)
  local size = redis.call('HSTRLEN', prefix .. 'quarantine:values', id)
  redis.call('ZREM', prefix .. 'quarantine:order', id)
  redis.call('HDEL', prefix .. 'quarantine', id)
  redis.call('HDEL', prefix .. 'quarantine:values', id)
  redis.call('DECRBY', prefix .. 'quarantine:bytes', size)
end

-- A change is told, or told to those up to `reached`.
local function forget_told(number, reached, along, topic, spell_ms)
  if reached ~= '' then return redis.call('HSET', prefix .. 'notices:state', 'at', number, 'after', reached) end
  for one in string.gmatch(number .. ' ' .. along, '%d+') do
    redis.call('HDEL', prefix .. 'notices', one)
    redis.call('ZREM', prefix .. 'notices:order', one)
  end
  local told = prefix .. 'notices:told:' .. topic
  if redis.call('INCR', told) == 1 then redis.call('PEXPIRE', told, spell_ms) end
end

local position, replayed = prefix .. 'position:' .. ARGV[1], ARGV[9]
if ARGV[1] ~= '' then
  local stored = redis.call('HMGET', position, 'topic_epoch', 'offset', 'cursor')
  if stored[1] ~= ARGV[2] or stored[2] ~= ARGV[3] or stored[3] ~= ARGV[4] then return { 'position' } end
elseif replayed ~= '' and redis.call('HEXISTS', prefix .. 'quarantine', replayed) == 0 then
  return { 'entry' }
elseif replayed == '' and ARGV[2] ~= '' then
  local begun = redis.call('HMGET', prefix .. 'notices:state', 'at', 'after')
  local after = begun[1] == ARGV[2] and begun[2] or ''
  if after ~= ARGV[3] or redis.call('HEXISTS', prefix .. 'notices', ARGV[2]) == 0 then return { 'entry' } end
end
local found = redis.call('MGET', prefix .. 'subscriptions:generation', EVENT_SERVICE)
if (found[1] or '0') ~= ARGV[8] then return { 'generation' } end
hear(found[2])

local event_count, delivery_count, quarantine_count = tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])

-- What the ledger holds, in bytes, about (L15).
local function held_bytes()
  return tonumber(redis.call('GET', prefix .. 'bytes') or 0)
    + RULES.overhead_bytes * (redis.call('ZCARD', DEADLINES) + redis.call('HLEN', DEAD_LETTERS))
end

local function drop_of_largest()
  local largest = redis.call('ZREVRANGE', BACKLOGS, 0, 0)[1]
  if not largest then return false end
  local flow = flow_of(largest)
  local oldest = oldest_of(flow)
  return oldest and drop(flow, oldest, 'over_quota')
end

if delivery_count > 0 then
  for _ = 1, RULES.admit_most do
    if held_bytes() <= RULES.backlog_bytes or not drop_of_largest() then break end
  end
  if held_bytes() > RULES.max_bytes then return { 'full' } end
end

local at = 18
local events = {}
for i = 1, event_count do
  events[i] = at
  if ARGV[at + 4] == '1' then keep_in_journal(ARGV[at], ARGV[at + 1], ARGV[at + 3]) end
  at = at + 6
end

-- Why a new delivery has to wait, nil when there is room for it. What came before it goes first, but for few.
local function hindrance(flow)
  if flow.suspended or not is_enabled() then return 'suspended' end
  if not is_closed(destination_of(flow.destination)) then return 'breaker_open' end
  if flow.rate and flow.next_at_ms > NOW then return 'behind' end
  if is_waiting(flow) then
    if flow.is_ordered or not may_pass(flow) then return 'behind' end
    pass(flow, flow.passed + 1)
  elseif flow.active + (flow.is_ordered and flow.counting or 0) >= most_under_way(flow) then
    return 'behind'
  end
  return nil
end

local result, created, touched, is_to_go = { 'written', tickets }, 0, {}, {}
if delivery_count > 0 then
  local ticket = redis.call('INCRBY', prefix .. 'tickets', delivery_count) - delivery_count
  local with_body = {}
  for _ = 1, delivery_count do
    local id, subscription, event, shape = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
    local parked_as, urgent = ARGV[at + 4], ARGV[at + 5] == '1' and '1' or nil
    at = at + 6
    ticket = ticket + 1
    local delivery = prefix .. 'delivery:' .. id
    -- The ledger has it already: that happens only after the position was reset to an earlier one.
    if redis.call('EXISTS', delivery) == 0 and redis.call('HEXISTS', DEAD_LETTERS, id) == 0 then
      local arg = events[event]
      local body = prefix .. 'body:' .. ARGV[arg]
      if with_body[event] then
        redis.call('HSET', body, id, '')
      else
        if redis.call('EXISTS', body) == 0 then redis.call('INCRBY', prefix .. 'bytes', #ARGV[arg + 1]) end
        redis.call('HSET', body, 'payload', ARGV[arg + 1], 'record', ARGV[arg + 2], 'recorded_at_ms', ARGV[arg + 3], id, '')
        if ARGV[arg + 5] ~= '' then redis.call('HSET', body, 'traceparent', ARGV[arg + 5]) end
        with_body[event] = true
      end
      local flow = flow_of(subscription)
      touched[subscription] = flow
      local is_live = RULES.passing > 0 and is_waiting(flow)
      local reason = parked_as ~= '' and parked_as or hindrance(flow)
      if parked_as == '' then is_to_go[subscription] = true end
      if reason then
        keep(flow, id, { version = RULES.letter_version, state = 'PARKED', seq = '0', ticket = text(ticket),
          number = text(ticket), subscription = subscription, event = ARGV[arg], shape = shape, attempts = '0',
          patience_ms = text(RULES.patience_ms), taken_ms = text(NOW), reason = reason, parked_at_ms = text(NOW),
          record = ARGV[arg + 2], size = #ARGV[arg + 1] + RULES.overhead_bytes, urgent = urgent,
          live = is_live and reason == 'behind' and '1' or nil }, nil)
        count_parked(reason)
      else
        redis.call('HSET', delivery, 'state', 'QUEUED', 'seq', 1, 'ticket', ticket, 'number', ticket,
          'subscription', subscription, 'event', ARGV[arg], 'shape', shape, 'attempts', 0, 'patience_ms', RULES.patience_ms,
          'taken_ms', text(NOW), unpack(urgent and { 'urgent', urgent } or {}))
        redis.call('ZADD', DEADLINES, NOW + RULES.patience_ms, id)
        add(flow, 'active', 1)
        pace(flow, flow.rate or 0)
        to_publish(subscription, id, 1, 0)
      end
      created = created + 1
    end
  end
end
count('deliveries_created', created)
for id, flow in pairs(touched) do
  if is_waiting(flow) then
    keep_quota(flow, RULES.admit_most)
    -- So many came at once that some wait, and maybe nothing is under way whose end would let them go. What was to be parked
    -- is due: the replay lets it go.
    if is_to_go[id] and is_closed(destination_of(flow.destination)) then admit(flow) end
  end
end

-- It is told when one comes after a quiet time, and each time that there are twice as many.
local function tell_of_growth(before)
  local growth, now = prefix .. 'quarantine:growth', redis.call('ZCARD', prefix .. 'quarantine:order')
  local found = redis.call('HMGET', growth, 'told', 'at_ms')
  local told, at_ms = math.min(found[1] or 0, before), tonumber(found[2] or 0)
  local is_told = now >= 2 * told or NOW - at_ms >= RULES.quiet_ms
  redis.call('HSET', growth, 'told', is_told and now or told, 'at_ms', text(NOW))
  if is_told then notice('quarantine_growing', '', text(now)) end
end

local had_quarantined = quarantine_count > 0 and redis.call('ZCARD', prefix .. 'quarantine:order')
for _ = 1, quarantine_count do
  local id, document, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  if redis.call('HSET', prefix .. 'quarantine', id, document) == 1 then
    redis.call('HSET', prefix .. 'quarantine:values', id, value)
    redis.call('ZADD', prefix .. 'quarantine:order', NOW, id)
    redis.call('INCRBY', prefix .. 'quarantine:bytes', #value)
    count('records_quarantined', 1)
  end
end
if had_quarantined and redis.call('ZCARD', prefix .. 'quarantine:order') > had_quarantined then
  tell_of_growth(had_quarantined)
end
if quarantine_count > 0 then
  -- Bounded by what this batch brought: a quota that shrank is worked off by later batches.
  for _ = 1, RULES.admit_most do
    if tonumber(redis.call('GET', prefix .. 'quarantine:bytes') or 0) <= RULES.quarantine_bytes then break end
    local oldest = redis.call('ZRANGE', prefix .. 'quarantine:order', 0, 0)[1]
    if not oldest then break end
    forget_quarantined(oldest)
    count('discarded:quarantine_over_quota', 1)
  end
end

if ARGV[1] ~= '' then
  redis.call('HSET', position, 'topic_epoch', ARGV[5], 'offset', ARGV[6], 'cursor', ARGV[7])
  redis.call('SADD', prefix .. 'partitions', ARGV[1])
  redis.call('DEL', prefix .. 'starts:' .. ARGV[1])
  count('records_ingested', tonumber(ARGV[10]))
elseif replayed == '' then
  count('events_announced', event_count)
  if ARGV[2] ~= '' then forget_told(ARGV[2], ARGV[4], ARGV[5], ARGV[6], ARGV[7]) end
else
  forget_quarantined(replayed)
  count('quarantine_replayed', 1)
end
count('events_ingested', tonumber(ARGV[11]))
count('events_unmatched', tonumber(ARGV[12]))
count('events_unknown_source', tonumber(ARGV[13]))
for _ = 1, tonumber(ARGV[17]) do
  local kind, number = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  count('records_ignored', number)
  count('records_ignored:' .. kind, number)
end
return result
