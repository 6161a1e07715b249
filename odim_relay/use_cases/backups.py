"""
Sending to a destination that has backups.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from operator import attrgetter
from threading import Lock

from odim_relay.domain.backups import Rest, Tried, calls_for_rest, outcome_of_all
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.outcome import Outcome, Verdict, verdict_of
from odim_relay.ports import OutgoingRequest, Sender
from odim_relay.telemetry import logger

log = logger(__name__)

# Over it all are forgotten: each is tried once too often then.
_MOST_RESTS = 4096


@dataclass(frozen=True, slots=True)
class _Candidate:
    """
    A URL to be tried, and the rest that it had when the attempt began.
    """

    number: int
    key: tuple[str, str]
    rest: Rest | None


class SendWithBackups:
    """
    Tries a destination and its backups, in order, within one attempt. Threads share one instance.

    One that failed rests in this process, 30 s and then twice as long up to 300 s, so that events go to the next one
    without waiting for it. After that one attempt at a time, of all processes, tries it again. When all rest, all are
    tried.
    """

    def __init__(self, *, sender: Sender, now_s: Callable[[], float], is_ours: Callable[[str, float], bool]) -> None:
        """
        Args:
            is_ours: whether, of all processes, this one is to look after what is named, for so many seconds.
        """
        self._sender = sender
        self._now_s = now_s
        self._is_ours = is_ours
        self._rests: dict[tuple[str, str], Rest] = {}
        self._lock = Lock()

    def __call__(
        self,
        request: OutgoingRequest,
        backups: Sequence[str],
        *,
        group: str,
        may_send: Callable[[], bool],
        timeout_s: float,
    ) -> Outcome | None:
        """
        Send until one answers 2xx. What must not be sent twice goes on only where no byte of it went out.

        Args:
            request: to the destination that is meant.
            group: names the destination with its backups and credentials: what rests for one group does for no other.
            may_send: is asked before each further one, and as `Sender.send` does.
            timeout_s: of all together; each has an equal share of what is left.

        Returns:
            the outcome of the one that took it, or of all, with the time of all; None when `may_send` answered no.
        """
        if not backups:
            return self._sender.send(request, may_send=may_send, timeout_s=timeout_s)
        candidates = self._candidates(group, (request.url, *backups))
        tried: list[Tried] = []
        left_s = timeout_s
        for candidate in candidates:
            if tried and not may_send():
                return None
            share_s = left_s / (len(candidates) - len(tried))
            outcome = self._sender.send(replace(request, url=candidate.key[1]), may_send=may_send, timeout_s=share_s)
            if outcome is None:
                return None
            left_s -= outcome.duration_s
            self._remember(candidate, outcome)
            if verdict_of(outcome) is Verdict.DELIVERED:
                return replace(outcome, duration_s=timeout_s - left_s)
            tried.append(Tried(candidate.number, outcome))
            if left_s <= 0 or not (request.is_repeatable or outcome.is_unsent):
                break
        return outcome_of_all(tried)

    def _candidates(self, group: str, urls: Sequence[str]) -> Sequence[_Candidate]:
        everyone = [(number, (group, url)) for number, url in enumerate(urls)]
        if not self._rests:
            return [_Candidate(number, key, None) for number, key in everyone]
        now_s = self._now_s()
        awake: list[_Candidate] = []
        rested: list[_Candidate] = []
        with self._lock:
            for number, key in everyone:
                rest = self._rests.get(key)
                if rest is None:
                    awake.append(_Candidate(number, key, None))
                elif rest.is_over(now_s):
                    # This attempt looks whether it is back; others go on without it meanwhile.
                    rest = self._rests[key] = rest.again(now_s)
                    rested.append(_Candidate(number, key, rest))
        awake += [candidate for candidate in rested if self._is_to_be_tried(candidate, now_s)]
        return sorted(awake, key=attrgetter("number")) or [
            _Candidate(number, key, self._rests.get(key)) for number, key in everyone
        ]

    def _is_to_be_tried(self, candidate: _Candidate, now_s: float) -> bool:
        """
        Whether a destination that has rested is this process's to try: many shall not ask more often than one would.
        """
        key, rest = candidate.key, candidate.rest
        if rest is None or self._is_ours(f"backups:{_digest(key)}", rest.length_s):
            return True
        with self._lock:
            if self._rests.get(key) is rest:
                self._rests[key] = Rest.after(rest, now_s)
        return False

    def _remember(self, candidate: _Candidate, outcome: Outcome) -> None:
        key = candidate.key
        with self._lock:
            if not calls_for_rest(outcome):
                has_changed = self._rests.pop(key, None) is not None
                rest = None
            else:
                # Failures that overlap are one: another may have counted it since this attempt began.
                has_changed = self._rests.get(key) is candidate.rest
                rest = Rest.after(candidate.rest, self._now_s())
                if has_changed:
                    if len(self._rests) >= _MOST_RESTS:
                        self._rests.clear()
                    self._rests[key] = rest
        if has_changed:
            _log_change(key[1], rest, outcome)


def _digest(key: tuple[str, str]) -> str:
    # A URL's query may be a secret.
    return sha256("\n".join(key).encode()).hexdigest()[:16]


def _log_change(url: str, rest: Rest | None, outcome: Outcome) -> None:
    destination = without_secrets(url)
    if rest is None:
        log.info("destination.back", destination=destination, status=outcome.status)
    else:
        log.warning("destination.resting", destination=destination, rest_s=rest.length_s, detail=outcome.detail)
