-- Look whether something of a subscription may go now. Writes what handing out deliveries writes.
--
-- ARGV  1 subscription
-- Returns {tickets, notices}

wake(flow_of(ARGV[1]))
return { tickets, notices }
