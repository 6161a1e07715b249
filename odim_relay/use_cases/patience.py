"""
A ledger that is asked again while its store is away.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from odim_relay.domain.delivery import ParkReason
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Claim, DeliveryLedger, LastAttempt, Passenger, Refusal, TaskTicket
from odim_relay.telemetry import logger

log = logger(__name__)

T = TypeVar("T")

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 2.0
_CLAIM_WAITS_S = 10.0
_OUTCOME_WAITS_S = 600.0


class PatientLedger:
    """
    `DeliveryLedger` that bears an outage of its store.

    A claim waits a little: the reaper finds what is not claimed. An outcome waits long: a 2xx that is not told is sent
    again, and while the ledger is away there is nothing better to do for this thread.
    """

    def __init__(self, ledger: DeliveryLedger, wait: Callable[[float], bool]) -> None:
        """
        Args:
            wait: waits so many seconds; returns True when the process is to stop, which ends all patience.
        """
        self._ledger = ledger
        self._wait = wait

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        """
        See `DeliveryLedger.claim`.
        """
        return self._insist(lambda: self._ledger.claim(ticket), _CLAIM_WAITS_S)

    def join(self, claim: Claim, most_bytes: int) -> Claim:
        """
        See `DeliveryLedger.join`; not asked twice: who joined by an answer that was lost would be left behind.
        """
        return self._ledger.join(claim, most_bytes)

    def unload(self, claim: Claim, passengers: Sequence[Passenger]) -> None:
        """
        See `DeliveryLedger.unload`.
        """
        self._insist(lambda: self._ledger.unload(claim, passengers), _CLAIM_WAITS_S)

    def holds(self, claim: Claim) -> bool:
        """
        See `DeliveryLedger.holds`; not asked twice: its answer is needed now.
        """
        return self._ledger.holds(claim)

    def complete(self, claim: Claim, *, is_fast: bool = False, is_slowing: bool = False) -> Aftermath:
        """
        See `DeliveryLedger.complete`.
        """
        return self._insist(
            lambda: self._ledger.complete(claim, is_fast=is_fast, is_slowing=is_slowing), _OUTCOME_WAITS_S
        )

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> Aftermath:
        """
        See `DeliveryLedger.retry`.
        """
        return self._insist(lambda: self._ledger.retry(claim, wait_s, last), _OUTCOME_WAITS_S)

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        """
        See `DeliveryLedger.park`.
        """
        return self._insist(lambda: self._ledger.park(claim, reason, last), _OUTCOME_WAITS_S)

    def suspend(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        """
        See `DeliveryLedger.suspend`.
        """
        return self._insist(lambda: self._ledger.suspend(claim, reason, last), _OUTCOME_WAITS_S)

    def release(self, claim: Claim) -> Aftermath:
        """
        See `DeliveryLedger.release`.
        """
        return self._insist(lambda: self._ledger.release(claim), _CLAIM_WAITS_S)

    def told(self, claim: Claim) -> None:
        """
        See `DeliveryLedger.told`.
        """
        self._insist(lambda: self._ledger.told(claim), _CLAIM_WAITS_S)

    def _insist(self, ask: Callable[[], T], patience_s: float) -> T:
        try:
            return ask()
        except TransientError as exc:
            log.warning("ledger.waiting", detail=str(exc))
        waited, pause = 0.0, _FIRST_WAIT_S
        while True:
            is_stopping = self._wait(pause)
            waited += pause
            pause = min(2 * pause, _LONGEST_WAIT_S)
            try:
                return ask()
            except TransientError:
                if is_stopping or waited >= patience_s:
                    raise
