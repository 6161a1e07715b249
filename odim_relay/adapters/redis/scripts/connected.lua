-- Tell what came of connecting to a destination, without a request (L30): once it accepts, a probe follows at once.
--
-- Writes  destination:*, flow:*, and what handing out and dropping deliveries writes
--
-- ARGV  1 destination    2 1 when it accepted, else 0
-- Returns {tickets, notices}

local destination = destination_of(ARGV[1])
count('connection_probes', 1)
if not is_closed(destination) then
  if ARGV[2] == '1' then
    destination.is_unreachable = false
    set(destination, { unreachable = '0' })
    local has_probe = destination.state == 'half_open' and destination.probe_until_ms > NOW
    if not has_probe then probe(destination) end
  else
    for _, subscription in ipairs(redis.call('SRANDMEMBER', destination.waiting, 100)) do fail_flow(flow_of(subscription)) end
  end
end
return { tickets, notices }
