-- Let those that have waited longest go with a delivery that was just claimed, their leader: in one request, under its lease.
-- Who goes with nobody is passed over, but by an ordered subscription, which passes nothing over. What is too old leaves.
--
-- Writes  delivery:*, dead-letters and their indexes, body:*, deadlines, flow:*, counters
--
-- ARGV  1 leader    2 its lease    3 its subscription    4 how many at most, itself not counted    5 bytes of payload at most
-- Returns {id, event, shape, payload, recorded_at_ms, traceparent or empty} per passenger, flat, oldest first; none without the lease

local leader, flow, left = ARGV[1] .. ':' .. ARGV[2], flow_of(ARGV[3]), tonumber(ARGV[5])
local most, joined, ids = ARGV[4] + 1, {}, {}
local found = redis.call('HMGET', prefix .. 'delivery:' .. ARGV[1], 'state', 'seq')
if found[1] ~= 'SENDING' or found[2] ~= ARGV[2] then return joined end
if not flow.exists or flow.suspended or not is_enabled() then return joined end
local until_ms = redis.call('ZSCORE', DEADLINES, ARGV[1])

local function join(id, letter, body)
  revive(flow, id, letter)
  redis.call('HSET', prefix .. 'delivery:' .. id, 'state', 'SENDING', 'seq', letter.seq + 1, 'attempts', letter.attempts + 1,
    'leader', leader)
  redis.call('ZADD', DEADLINES, until_ms, id)
  ids[#ids + 1] = id
  for _, value in ipairs({ id, letter.event, letter.shape, body[1], body[2] or '0', body[3] or '' }) do joined[#joined + 1] = value end
end

local size = 1
for _, id in ipairs(redis.call('ZRANGE', flow.ready, 0, RULES.admit_most - 1)) do
  if size >= most then break end
  local letter, newer = letter_of(id)
  if not is_sorted_out(flow, id, letter, newer) then
    local together = math.min(most, tonumber(letter.together or most))
    local body = redis.call('HMGET', prefix .. 'body:' .. letter.event, 'payload', 'recorded_at_ms', 'traceparent')
    local payload = body[1]
    local is_blocked = flow.is_ordered and letter.due_ms and tonumber(letter.due_ms) > NOW
    if payload and #payload <= left and size < together and not is_blocked then
      join(id, letter, body)
      most, size, left = together, size + 1, left - #payload
    elseif flow.is_ordered or (payload and #payload > left) then
      break
    end
  end
end
if #ids > 0 then redis.call('HSET', prefix .. 'delivery:' .. ARGV[1], 'passengers', table.concat(ids, ' ')) end
return joined
