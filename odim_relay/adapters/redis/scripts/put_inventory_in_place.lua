-- Have what was staged stand instead of all that one keeper says of sources and aggregates. In O(1), however much that is, and
-- nobody ever reads a part of it. Raises the generation of the subscriptions, as `change_inventory` does.
--
-- Writes  inventory:sources:*, inventory:aggregates:*, inventory:staged:*, inventory:version, subscriptions:generation,
--         subscriptions:generations
--
-- ARGV  1 keeper    2 version that the inventory must have    3 name of what was staged
--       4-5 how many sources and aggregates that must be: with one less, its time was up
-- Returns 1, or 0 when the inventory has another version or not all is there; what was staged is gone then, too

local tables = {
  { staged = prefix .. 'inventory:staged:' .. ARGV[3] .. ':sources', stands = prefix .. 'inventory:sources:' .. ARGV[1] },
  { staged = prefix .. 'inventory:staged:' .. ARGV[3] .. ':aggregates', stands = prefix .. 'inventory:aggregates:' .. ARGV[1] },
}
local is_good = (redis.call('GET', INVENTORY_VERSION) or '0') == ARGV[2]
for i, one in ipairs(tables) do
  is_good = is_good and redis.call('HLEN', one.staged) == tonumber(ARGV[3 + i])
end
for _, one in ipairs(tables) do
  if is_good then
    redis.call('UNLINK', one.stands) -- its memory is given back beside the work
    if redis.call('EXISTS', one.staged) == 1 then
      redis.call('RENAME', one.staged, one.stands)
      redis.call('PERSIST', one.stands)
    end
  else
    redis.call('UNLINK', one.staged)
  end
end
if not is_good then return 0 end
redis.call('SET', INVENTORY_VERSION, next_generation())
return 1
