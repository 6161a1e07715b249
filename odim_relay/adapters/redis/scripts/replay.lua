-- Look at subscriptions with parked deliveries: let go what may go, probe destinations whose time has come (L4, L30).
-- Safe to run twice at once (L28). While nothing is sent at all, everything stays due: it is looked at when that ends.
--
-- Writes  due, waiting:*, destination:*, flow:*, and what handing out and dropping deliveries writes
--
-- Returns {1 when more may be due, else 0, tickets, notices, destination and subscription of each connection to be tried}

if not is_enabled() then return { 0, tickets, notices, {} } end

local most = 100
local due = redis.call('ZRANGEBYSCORE', DUE, '-inf', NOW, 'LIMIT', 0, most)
local to_connect, seen = {}, {}
for _, subscription in ipairs(due) do
  local flow = flow_of(subscription)
  redis.call('ZADD', DUE, 'XX', NOW + math.floor(RULES.replay_ms / 2), subscription)
  wake(flow)
  local destination = destination_of(flow.destination)
  local asks = flow.exists and not flow.suspended and not is_closed(destination) and destination.is_unreachable
  if asks and not seen[destination.id] then
    seen[destination.id] = true
    to_connect[#to_connect + 1] = destination.id
    to_connect[#to_connect + 1] = subscription
  end
end
return { #due >= most and 1 or 0, tickets, notices, to_connect }
