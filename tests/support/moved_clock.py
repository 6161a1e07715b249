"""
The ledger's scripts with a clock that a test moves: a day of the ledger passes as fast as its work is done.

    scripts = ScriptsWithClock(client, "test:", LedgerRules())
    scripts.move(3_600)
"""

from typing import Final

from odim_relay.adapters.redis.connection import Client, Scripts
from odim_relay.adapters.redis.rules import LedgerRules

_CLOCK: Final = """local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
"""
# Beside the prefix, so that who walks the ledger's keys does not meet it.
_KEY: Final = "clock-of-the-tests:"


class ScriptsWithClock(Scripts):
    """
    `Scripts` whose clock stands still until it is moved. All that share server and prefix share the clock.

    Listings, and the numbers of the subscriptions' generations, go by the server's own clock.
    """

    def __init__(
        self, client: Client, prefix: str, rules: LedgerRules | None = None, *, start_ms: int = 1_800_000_000_000
    ) -> None:
        """
        Args:
            start_ms: what the clock shows at first, unless it runs already.
        """
        super().__init__(client, prefix, rules)
        self._key = _KEY + prefix
        client.set(self._key, start_ms, nx=True)

    @property
    def now_ms(self) -> int:
        """
        What the clock shows.
        """
        return int(str(self.client.get(self._key), "ascii"))  # type: ignore[arg-type]

    def move(self, seconds: float) -> None:
        """
        Move the clock on, or back with a negative number.
        """
        self.client.incrby(self._key, round(seconds * 1000))

    def move_to(self, at_ms: int) -> None:
        """
        Set the clock.
        """
        self.client.set(self._key, at_ms)

    def source(self, name: str) -> str:
        """
        A script as the product has it, but for where it takes the time from.
        """
        source = super().source(name)
        if source.count(_CLOCK) != 1:
            raise AssertionError(f"{name} reads its clock in another way than this file knows")
        return source.replace(_CLOCK, f"return tonumber(redis.call('GET', '{self._key}'))\n")
