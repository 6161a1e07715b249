-- Let parked deliveries take their turn now, because a person wants it: also those that only a person sends again.
-- Dead letters become waiting ones by that. What is not parked any more, or waits for its turn already, is left as it is and
-- not counted, so that doing it twice, or by two at once, is harmless.
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
      touched[flow.id] = flow
      if DEAD[letter.reason] or letter.due_ms or letter.index ~= 'ready' then
        restate(flow, id, letter, 'behind', nil)
        released = released + 1
      end
    end
  end
end
count('released_by_hand', released)
for _, flow in pairs(touched) do
  hurry(flow)
  wake(flow)
end
return { released, tickets, notices }
