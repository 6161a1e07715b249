-- The journal: events as they were taken in, for those who follow a stream. Bounded by bytes: the oldest leave.

local JOURNAL = prefix .. 'journal'
local JOURNAL_STATE = prefix .. 'journal:state'
local JOURNAL_OVERHEAD = 150 -- what an entry costs beside its payload, about

-- An id behind all that there were. By the clock: one whose write was lost is never given again.
local function next_journal_id()
  local ms, number = string.match(redis.call('HGET', JOURNAL_STATE, 'end') or '0-0', '^(%d+)-(%d+)$')
  if NOW > tonumber(ms) then return text(NOW) .. '-0' end
  return ms .. '-' .. text(number + 1)
end

-- It is kept from now on: whoever knows an entry of before has missed what came between.
local function begin_journal()
  local id = next_journal_id()
  redis.call('HSET', JOURNAL_STATE, 'since', id, 'end', id, 'used_at_ms', text(NOW))
end

local function keep_in_journal(event, payload, recorded_at_ms)
  local id = next_journal_id()
  redis.call('XADD', JOURNAL, id, 'event', event, 'payload', payload, 'recorded_at_ms', recorded_at_ms)
  redis.call('HSET', JOURNAL_STATE, 'end', id)
  local bytes = redis.call('HINCRBY', JOURNAL_STATE, 'bytes', #payload + JOURNAL_OVERHEAD)
  for _ = 1, RULES.admit_most do
    if bytes <= RULES.journal_bytes then return end
    local oldest = redis.call('XRANGE', JOURNAL, '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', JOURNAL, oldest[1])
    redis.call('HSET', JOURNAL_STATE, 'left', oldest[1])
    bytes = redis.call('HINCRBY', JOURNAL_STATE, 'bytes', -(#oldest[2][4] + JOURNAL_OVERHEAD))
  end
end
