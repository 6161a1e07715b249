-- Put passengers that do not fit into their leader's request back to their places, as if they had never left them.
--
-- Writes  delivery:*, dead-letters and their indexes, body:*, deadlines, flow:*, due, waiting:*, counters
--
-- ARGV  1 leader    2 its lease    3 its subscription    then ids
-- Returns how many

local leader, flow, unloaded = ARGV[1] .. ':' .. ARGV[2], flow_of(ARGV[3]), 0
for at = 4, #ARGV do
  if is_passenger_of(leader, ARGV[at]) then
    put_back(flow, ARGV[at])
    unloaded = unloaded + 1
  end
end
return unloaded
