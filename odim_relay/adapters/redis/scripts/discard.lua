-- Let parked deliveries go unsent, because a person wants it. What is not parked is left alone.
--
-- Writes  dead-letters and their indexes, body:*, deadlines, flow:*, counters, and what handing out deliveries writes
--
-- ARGV  ids
-- Returns {how many, tickets, notices}

local discarded, touched = 0, {}
for _, id in ipairs(ARGV) do
  local letter = letter_of(id)
  if letter then
    local flow = flow_of(letter.subscription)
    if drop(flow, id, 'discarded') then
      touched[flow.id] = flow
      discarded = discarded + 1
    end
  end
end
for _, flow in pairs(touched) do wake(flow) end
return { discarded, tickets, notices }
