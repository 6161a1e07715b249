"""
The ledger is as durable as its server: what does not keep what it was given is refused, or warned about.
"""

from collections.abc import Callable

from odim_relay.errors import ConfigurationError
from odim_relay.ports import RedisFacts, Turn
from odim_relay.telemetry import logger
from odim_relay.use_cases.doctor import examine_durability
from odim_relay.use_cases.findings import Finding

log = logger(__name__)

_TELL_EVERY_S = 3_600.0


def check_durability(facts: RedisFacts, *, is_required: bool, server: str) -> None:
    """
    Check, at a start, that the ledger's server keeps what it was given; warn of what cannot be told.

    Args:
        is_required: else what is wrong is only warned about.
        server: where it is, in words.

    Raises:
        ConfigurationError: it is required, and the server does not.
    """
    findings = examine_durability(facts)
    wrong = [finding for finding in findings if finding.is_wrong]
    if wrong and is_required:
        faults = "; ".join(f"{finding.found}: {finding.remedy}" for finding in wrong)
        raise ConfigurationError(
            f"the Redis of the ledger ({server}, REDIS__URL) would lose deliveries. {faults}. Where that does not "
            "matter, set REDIS__REQUIRE_DURABLE=false"
        )
    for finding in findings:
        if finding.remedy:
            _tell(finding)


class WatchDurability:
    """
    The work of the examine task: a server may be configured anew, or be another one, after everybody has started.
    """

    def __init__(self, *, inspect: Callable[[], RedisFacts], new_turn: Callable[[], Turn]) -> None:
        """
        Args:
            new_turn: gives the turn of telling, which is another one's until an hour after it was taken.
        """
        self._inspect = inspect
        self._new_turn = new_turn

    def __call__(self) -> int:
        """
        Warn of what is wrong, at most once an hour. Returns how much was told.

        Raises:
            TransientError: the server cannot be reached.
        """
        wrong = [finding for finding in examine_durability(self._inspect()) if finding.is_wrong]
        if not wrong or not self._new_turn().take(_TELL_EVERY_S):
            return 0
        for finding in wrong:
            _tell(finding)
        return len(wrong)


def _tell(finding: Finding) -> None:
    log.warning("redis.not_durable", subject=finding.subject, found=finding.found, remedy=finding.remedy)
