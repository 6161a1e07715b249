"""
A destination that is down.
"""

from dataclasses import dataclass

from odim_relay.domain.outcome import Outcome
from odim_relay.ports import TaskTicket
from tests.integration.ledger.bench import UNAVAILABLE, Bench

PROBE_S = 30.0


@dataclass(frozen=True, slots=True)
class Outage:
    """
    A destination whose breaker is open, with some that wait for it.
    """

    bench: Bench
    destination: str

    @classmethod
    def begin(cls, bench: Bench, waiting_count: int = 3, outcome: Outcome = UNAVAILABLE, **rules: int) -> "Outage":
        bench = bench.under(breaker_failures=1, drain_failures=1, **rules)
        destination = bench.subscribe()
        first, *others = bench.fill(waiting_count)
        bench.fail(first, outcome)
        for ticket in others:
            assert bench.refusal(ticket) == "breaker_open"
        return cls(bench, destination)

    @property
    def breaker(self) -> dict[str, str]:
        return self.bench.breaker(self.destination)

    def probe(self) -> TaskTicket:
        """
        Wait until a probe is due, and have it handed out.
        """
        self.bench.move((int(self.breaker["probe_at_ms"]) - self.bench.now_ms) / 1000)
        (ticket,) = self.bench.replay()
        return ticket
