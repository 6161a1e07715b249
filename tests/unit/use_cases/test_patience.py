from collections.abc import Callable, Sequence

import pytest

from odim_relay.domain.delivery import ParkReason
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Claim, DeliveryLedger, LastAttempt, Passenger, Refusal, TaskTicket
from odim_relay.use_cases.patience import PatientLedger
from tests.fakes.delivery_ledger import InMemoryDeliveryLedger
from tests.fakes.relay import InMemoryRelay
from tests.fakes.samples import LAST, subscription
from tests.unit.use_cases.conftest import Logs


class Away:
    """
    A ledger whose first `failures` calls fail.
    """

    def __init__(self, ledger: InMemoryDeliveryLedger, failures: int) -> None:
        self.ledger = ledger
        self.failures = failures
        self.calls: list[tuple[str, dict[str, object]]] = []

    def _here(self, call: str, **arguments: object) -> InMemoryDeliveryLedger:
        self.calls.append((call, arguments))
        if self.failures:
            self.failures -= 1
            raise TransientError("Redis is away")
        return self.ledger

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        return self._here("claim").claim(ticket)

    def join(self, claim: Claim, most_bytes: int) -> Claim:
        return self._here("join").join(claim, most_bytes)

    def unload(self, claim: Claim, passengers: Sequence[Passenger]) -> None:
        self._here("unload").unload(claim, passengers)

    def holds(self, claim: Claim) -> bool:
        return self._here("holds").holds(claim)

    def complete(self, claim: Claim, *, is_fast: bool = False, is_slowing: bool = False) -> Aftermath:
        here = self._here("complete", is_fast=is_fast, is_slowing=is_slowing)
        return here.complete(claim, is_fast=is_fast, is_slowing=is_slowing)

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> Aftermath:
        return self._here("retry").retry(claim, wait_s, last)

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        return self._here("park").park(claim, reason, last)

    def suspend(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        return self._here("suspend").suspend(claim, reason, last)

    def release(self, claim: Claim) -> Aftermath:
        return self._here("release").release(claim)

    def told(self, claim: Claim) -> None:
        self._here("told").told(claim)


class Waiting:
    """
    Waits in no time; is told to stop after `stops_after` waits.
    """

    def __init__(self, stops_after: int = 1_000_000) -> None:
        self.pauses: list[float] = []
        self.stops_after = stops_after

    def __call__(self, wait_s: float) -> bool:
        self.pauses.append(wait_s)
        return len(self.pauses) > self.stops_after


FOR_EVER = 1_000_000
CALLS: dict[str, Callable[[DeliveryLedger, Claim], object]] = {
    "complete": lambda ledger, claim: ledger.complete(claim),
    "retry": lambda ledger, claim: ledger.retry(claim, 15, LAST),
    "park": lambda ledger, claim: ledger.park(claim, ParkReason.REJECTED, LAST),
    "suspend": lambda ledger, claim: ledger.suspend(claim, ParkReason.GONE, LAST),
    "release": lambda ledger, claim: ledger.release(claim),
    "told": lambda ledger, claim: ledger.told(claim),
    "unload": lambda ledger, claim: ledger.unload(claim, ()),
    "claim": lambda ledger, claim: ledger.claim(TaskTicket(delivery_id=claim.delivery_id, seq=claim.lease)),
}
OUTCOMES = ("complete", "retry", "park", "suspend")


@pytest.fixture
def claim(relay: InMemoryRelay) -> Claim:
    (ticket,) = relay.ingest(subscription("s"))
    claim = relay.ledger.claim(ticket)
    assert isinstance(claim, Claim)
    return claim


@pytest.mark.parametrize("call", CALLS)
def test_what_a_ledger_says_that_is_there_is_passed_on(relay: InMemoryRelay, claim: Claim, call: str) -> None:
    twin = InMemoryRelay()
    twin.ledger.claim(*twin.ingest(subscription("s")))
    waiting = Waiting()

    said = CALLS[call](PatientLedger(Away(relay.ledger, 0), waiting), claim)

    expected = CALLS[call](twin.ledger, claim)
    assert type(said) is type(expected)
    if not isinstance(said, Refusal):
        assert said == expected
    assert relay.state.deliveries == twin.state.deliveries
    assert waiting.pauses == []


@pytest.mark.parametrize("call", CALLS)
def test_a_ledger_that_comes_back_is_asked_again(relay: InMemoryRelay, claim: Claim, call: str, logs: Logs) -> None:
    away, waiting = Away(relay.ledger, 3), Waiting()

    CALLS[call](PatientLedger(away, waiting), claim)

    assert [name for name, _ in away.calls] == [call] * 4
    assert waiting.pauses == [0.1, 0.2, 0.4]
    assert [line["event"] for line in logs] == ["ledger.waiting"]


@pytest.mark.parametrize("call", OUTCOMES)
def test_an_outcome_waits_for_ten_minutes(relay: InMemoryRelay, claim: Claim, call: str) -> None:
    waiting = Waiting()

    with pytest.raises(TransientError):
        CALLS[call](PatientLedger(Away(relay.ledger, FOR_EVER), waiting), claim)

    assert 600 <= sum(waiting.pauses) < 603
    assert max(waiting.pauses) == 2.0


@pytest.mark.parametrize("call", [call for call in CALLS if call not in OUTCOMES])
def test_what_the_reaper_mends_waits_for_ten_seconds(relay: InMemoryRelay, claim: Claim, call: str) -> None:
    waiting = Waiting()

    with pytest.raises(TransientError):
        CALLS[call](PatientLedger(Away(relay.ledger, FOR_EVER), waiting), claim)

    assert 10 <= sum(waiting.pauses) < 13


def test_whether_the_lease_runs_is_asked_once(relay: InMemoryRelay, claim: Claim) -> None:
    waiting = Waiting()
    patient = PatientLedger(Away(relay.ledger, 1), waiting)

    with pytest.raises(TransientError):
        patient.holds(claim)

    assert waiting.pauses == []
    assert patient.holds(claim)


def test_who_is_told_to_stop_asks_once_more_and_gives_up(relay: InMemoryRelay, claim: Claim) -> None:
    away, waiting = Away(relay.ledger, FOR_EVER), Waiting(stops_after=2)

    with pytest.raises(TransientError):
        PatientLedger(away, waiting).complete(claim)

    assert len(waiting.pauses) == 3
    assert len(away.calls) == 4


@pytest.mark.parametrize("said", [{"is_fast": True}, {"is_slowing": True}, {}])
def test_how_it_was_answered_is_passed_on(relay: InMemoryRelay, claim: Claim, said: dict[str, bool]) -> None:
    away = Away(relay.ledger, 1)

    PatientLedger(away, Waiting()).complete(claim, **said)

    assert away.calls == [("complete", {"is_fast": False, "is_slowing": False, **said})] * 2


def test_only_a_store_that_is_away_is_waited_for(relay: InMemoryRelay, claim: Claim) -> None:
    class Broken(InMemoryDeliveryLedger):
        def complete(self, claim: Claim, *, is_fast: bool = False, is_slowing: bool = False) -> Aftermath:
            raise ZeroDivisionError(claim.delivery_id, is_fast, is_slowing)

    waiting = Waiting()

    with pytest.raises(ZeroDivisionError):
        PatientLedger(Broken(relay.state), waiting).complete(claim)

    assert waiting.pauses == []
