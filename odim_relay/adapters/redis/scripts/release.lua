-- Let parked deliveries take their turn now, because a person wants it: also those that only a person sends again.
-- What is not parked any more is left alone, so that doing it twice is harmless.
--
-- Writes  dead-letters and their indexes, deadlines, destination:*, flow:*, and what handing out deliveries writes
--
-- ARGV  ids
-- Returns {how many, tickets, notices}

local released, touched = 0, {}
for _, id in ipairs(ARGV) do
  local letter = letter_of(id)
  if letter then
    local flow = flow_of(letter.subscription)
    if flow.exists then
      restate(flow, id, letter, letter.index == 'by_hand' and 'behind' or letter.reason, nil)
      touched[flow.id] = flow
      released = released + 1
    end
  end
end
count('replays', released)
for _, flow in pairs(touched) do
  hurry(flow)
  wake(flow)
end
return { released, tickets, notices }
