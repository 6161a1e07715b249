-- Change some of what one keeper says of sources and aggregates, all of it at once. Where that makes a difference it raises
-- the generation of the subscriptions, so that nothing is taken in any more that was matched without it.
--
-- Writes  inventory:sources:*, inventory:aggregates:*, inventory:version, subscriptions:generation, subscriptions:generations
--
-- ARGV  1 keeper    2 version that the inventory must have, empty for any
--       3-6 counts of sources put, sources gone, aggregates put, aggregates gone, which follow in this order
--       then per one put: name, value; per one gone: name
-- Returns 1, or 0 when the inventory has another version

if ARGV[2] ~= '' and (redis.call('GET', INVENTORY_VERSION) or '0') ~= ARGV[2] then return 0 end
local at, changed = 7, 0

local function change(table, put_count, gone_count)
  for _ = 1, put_count do
    local name, value = ARGV[at], ARGV[at + 1]
    at = at + 2
    if redis.call('HGET', table, name) ~= value then
      redis.call('HSET', table, name, value)
      changed = changed + 1
    end
  end
  for _ = 1, gone_count do
    changed = changed + redis.call('HDEL', table, ARGV[at])
    at = at + 1
  end
end

change(prefix .. 'inventory:sources:' .. ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]))
change(prefix .. 'inventory:aggregates:' .. ARGV[1], tonumber(ARGV[5]), tonumber(ARGV[6]))
if changed > 0 then redis.call('SET', INVENTORY_VERSION, next_generation()) end
return 1
