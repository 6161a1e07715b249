"""
Who fails to log in too often is made to wait, longer each time.
"""

from dataclasses import dataclass, field

_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleRule:
    """
    How much failing is too much.

    Attributes:
        per_user: failures of one user name from one address, within the window, until it waits.
        per_client: failures from one address, with whatever names, until those wait who never came in from there.
        window_s: after it, failures are forgotten; a wait begins it anew.
        wait_s: the first wait; each further failure doubles it.
    """

    per_user: int = 5
    per_client: int = 20
    window_s: float = 60.0
    wait_s: float = 10.0
    max_wait_s: float = 300.0


@dataclass(slots=True)
class _Failures:
    count: int = 0
    waits: int = 0
    until_s: float = 0.0
    forgotten_at_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Throttle:
    """
    Counts failures by who fails and from where. In memory, within bounds: the oldest are forgotten first.
    """

    rule: ThrottleRule = ThrottleRule()
    _failures: dict[tuple[str, ...], _Failures] = field(default_factory=dict)
    _known: dict[tuple[str, str], None] = field(default_factory=dict)

    def wait_s(self, user_name: str, client: str, now_s: float) -> float:
        """
        How long it must wait before it may try; 0 when it may.
        """
        keys: list[tuple[str, ...]] = [(client, user_name)]
        if (client, user_name) not in self._known:
            # Who came in from there before is not kept out by what others do there.
            keys.append((client,))
        untils = [self._failures[key].until_s for key in keys if key in self._failures]
        return max(0.0, *(until_s - now_s for until_s in untils)) if untils else 0.0

    def failed(self, user_name: str, client: str, now_s: float) -> None:
        """
        Count a failure.
        """
        self._known.pop((client, user_name), None)
        self._count((client, user_name), self.rule.per_user, now_s)
        self._count((client,), self.rule.per_client, now_s)

    def succeeded(self, user_name: str, client: str) -> None:
        """
        Forget its failures.
        """
        self._failures.pop((client, user_name), None)
        self._known.pop((client, user_name), None)
        self._known[client, user_name] = None
        _bound(self._known)

    def _count(self, key: tuple[str, ...], most: int, now_s: float) -> None:
        found = self._failures.pop(key, None)
        if found is None or now_s >= found.forgotten_at_s:
            found = _Failures(forgotten_at_s=now_s + self.rule.window_s)
        self._failures[key] = found
        _bound(self._failures)
        found.count += 1
        if found.count >= most:
            wait_s = min(self.rule.wait_s * 2.0**found.waits, self.rule.max_wait_s)
            found.waits = min(found.waits + 1, 30)
            found.until_s = now_s + wait_s
            found.forgotten_at_s = found.until_s + self.rule.window_s


def _bound(table: dict[tuple[str, ...], _Failures] | dict[tuple[str, str], None]) -> None:
    while len(table) > _MOST_REMEMBERED:
        del table[next(iter(table))]  # type: ignore[arg-type] # a key of its own
