-- Let parked deliveries go whose retention ended, oldest first, in steps. Safe to run twice at once (L28).
--
-- Writes  dead-letters and their indexes, body:*, deadlines, flow:*, counters, and what handing out deliveries writes
--
-- ARGV  1 cursor, 0 to begin
-- Returns {cursor of the next step, 0 after the last; how many left; tickets; notices}

local most = 100 -- per index and step
local scanned = redis.call('ZSCAN', BACKLOGS, ARGV[1], 'COUNT', 20)
local expired = 0

local function expire(flow, rank)
  local gone = 0
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', rank[1], rank[2], rank[3], 'LIMIT', 0, most)) do
    local letter = letter_of(id)
    if letter then -- one that a newer version wrote is kept, and what is behind it is not
      if tonumber(letter.taken_ms) + flow.retention_ms > NOW then break end
      drop(flow, id, 'expired')
      gone = gone + 1
    end
  end
  return gone
end

for i = 1, #scanned[2], 2 do
  local flow = flow_of(scanned[2][i])
  local gone = 0
  for _, rank in ipairs(ranks_of(flow)) do gone = gone + expire(flow, rank) end
  if gone > 0 then wake(flow) end
  expired = expired + gone
end
return { scanned[1], expired, tickets, notices }
