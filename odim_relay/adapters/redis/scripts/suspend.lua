-- Suspend a subscription: it goes on collecting (S18). Writes flow:*, due, waiting:*, notices*, counters.
--
-- ARGV  1 subscription    2 reason
-- Returns {1 when it was done, 0 when it was suspended already, -1 when there is none}

local flow = flow_of(ARGV[1])
if not flow.exists then return -1 end
if flow.suspended then return 0 end
suspend(flow, ARGV[2])
return 1
