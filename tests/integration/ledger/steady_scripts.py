"""
The ledger's scripts without chance: the same calls have the same outcome, so that a failure can be made again.
"""

from typing import Final

from tests.support.moved_clock import ScriptsWithClock

_BY_CHANCE: Final = "redis.call('SRANDMEMBER', destination.waiting, "
_BY_CLOCK: Final = "some_of(destination.waiting, "
_SOME_OF: Final = """
local function some_of(key, most)
  local all, some = redis.call('SMEMBERS', key), {}
  table.sort(all)
  for i = 1, math.min(most, #all) do some[i] = all[(i + math.floor(NOW / 1000)) % #all + 1] end
  return some
end
"""
_AFTER: Final = "local NOW = clock_ms() -- one moment for the whole script\n"


class SteadyScripts(ScriptsWithClock):
    """
    Where a script takes some by chance, here the clock says which.
    """

    def source(self, name: str) -> str:
        """
        A script as the product has it, but for time and chance.
        """
        source = super().source(name)
        if source.count(_AFTER) != 1 or _BY_CHANCE not in source:
            raise AssertionError(f"{name} takes time or chance in another way than this file knows")
        return source.replace(_AFTER, _AFTER + _SOME_OF).replace(_BY_CHANCE, _BY_CLOCK)
