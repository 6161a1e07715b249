"""
Settings that contradict each other, and files and proxies that they name. Pure: the facts come in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from odim_relay.domain.egress import Network
from odim_relay.ports import FileProblem
from odim_relay.use_cases.findings import Finding, hint, span, verdict

_DAY_S = 86_400
_RABBITMQ_PATIENCE_S = 1_800
_EXPIRES_SOON_S = 14 * _DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTimes:
    """
    Settings that have to do with each other, in seconds, by their names.
    """

    timeout_s: float
    lease_margin_s: float
    reap_interval_s: float
    retry_attempts: int
    retry_interval_s: float
    retry_factor: float
    retry_max_interval_s: float
    max_countdown_s: float
    probe_interval_s: float
    probe_max_interval_s: float
    replay_interval_s: float
    retention_s: float
    is_rabbitmq: bool = False

    @property
    def retrying_s(self) -> float:
        """
        How long all retries of a delivery take, without jitter.
        """
        waits = (self.retry_interval_s * self.retry_factor**number for number in range(self.retry_attempts))
        return sum(min(wait, self.retry_max_interval_s) for wait in waits)


def examine_times(chosen: ChosenTimes) -> list[Finding]:
    """
    Tell of each contradiction; one finding when there is none.
    """
    margin, reap = (
        ("LEDGER__LEASE_MARGIN_S", chosen.lease_margin_s),
        ("LEDGER__REAP_INTERVAL_S", chosen.reap_interval_s),
    )
    wait = ("DELIVERY__RETRY_INTERVAL_S", chosen.retry_interval_s)
    longest_wait = ("DELIVERY__RETRY_MAX_INTERVAL_S", chosen.retry_max_interval_s)
    probe = ("BREAKER__PROBE_INTERVAL_S", chosen.probe_interval_s)
    longest_probe = ("BREAKER__PROBE_MAX_INTERVAL_S", chosen.probe_max_interval_s)
    contradictions = [
        _longer(
            ("half of LEDGER__REAP_INTERVAL_S", chosen.reap_interval_s / 2),
            margin,
            "raise the latter: a worker that is slow to tell of its outcome is taken for dead",
        ),
        _longer(
            reap,
            ("a lease (DELIVERY__TIMEOUT_S and LEDGER__LEASE_MARGIN_S)", chosen.timeout_s + chosen.lease_margin_s),
            "lower the former: what a dead worker held waits for so long",
        ),
        _longer(wait, longest_wait, "the first wait is never what it says: lower the one or raise the other"),
        _longer(probe, longest_probe, "lower the one or raise the other"),
        _longer(
            ("DEAD_LETTERS__REPLAY_INTERVAL_S", chosen.replay_interval_s),
            longest_probe,
            "lower the former: probes come with the replay",
        ),
        _longer(
            ("what all retries take", chosen.retrying_s),
            ("DEAD_LETTERS__RETENTION_S", chosen.retention_s),
            "raise the latter, or retry less often: events expire before their last retry",
        ),
    ]
    if chosen.is_rabbitmq:
        contradictions.append(
            _longer(
                ("DELIVERY__MAX_COUNTDOWN_S", chosen.max_countdown_s),
                (
                    "what RabbitMQ waits for an acknowledgement, unless its consumer_timeout says otherwise",
                    _RABBITMQ_PATIENCE_S,
                ),
                "lower the former: RabbitMQ would close the workers' channels",
            )
        )
    return [one for one in contradictions if one] or [
        Finding(subject="settings", is_wrong=False, found="none of the times contradicts another")
    ]


def _longer(one: tuple[str, float], other: tuple[str, float], remedy: str) -> Finding | None:
    (name, length_s), (other_name, other_length_s) = one, other
    if length_s <= other_length_s:
        return None
    found = f"{name}, {length_s:g} s, is longer than {other_name}, {other_length_s:g} s"
    return Finding(subject=f"settings: {name}", is_wrong=True, found=found, remedy=remedy)


def examine_egress(allow: Sequence[Network], deny: Sequence[Network]) -> list[Finding]:
    """
    Tell of what is allowed in vain.
    """
    vain = [
        str(network)
        for network in allow
        if any(other.version == network.version and network.subnet_of(other) for other in deny)  # type: ignore[arg-type] # of one version
    ]
    if not vain:
        return []
    return [
        Finding(
            subject="egress",
            is_wrong=True,
            found=f"EGRESS__ALLOW has {', '.join(vain)}, which EGRESS__DENY forbids",
            remedy="EGRESS__DENY wins: take it out of the one or the other",
        )
    ]


def examine_proxy(proxy: str, problem: str) -> Finding:
    """
    Judge whether the proxy takes connections.

    Args:
        proxy: without its password.
        problem: why it does not; empty when it does.
    """
    return verdict(
        "egress proxy",
        wrong=bool(problem),
        found=f"{proxy} {problem or 'takes connections'}",
        remedy="start it, or mend EGRESS__PROXY: nothing goes out but what EGRESS__NO_PROXY names",
    )


def examine_files(problems: Sequence[FileProblem], count: int) -> list[Finding]:
    """
    Judge the files that settings and subscriptions name.

    Args:
        count: how many were looked at.
    """
    wrong = [
        Finding(
            subject=f"tls files: {one.used_for}",
            is_wrong=True,
            found=one.problem,
            remedy="put a good file in its place; it is picked up within seconds"
            if one.used_for.startswith("subscription")
            else "put a good file in its place",
        )
        for one in problems
    ]
    return wrong or ([Finding(subject="tls files", is_wrong=False, found=f"{count} can be used")] if count else [])


def examine_certificate(subject: str, left_s: float, *, is_own: bool) -> Finding:
    """
    Judge for how long the API's certificate is good.
    """
    if is_own:
        return hint(
            subject,
            wanted=left_s < _EXPIRES_SOON_S,
            found=f"self-signed, expires in {span(left_s)}",
            remedy="a running api process renews it within its last 30 days: start one",
        )
    return verdict(
        subject,
        wrong=left_s < _EXPIRES_SOON_S,
        found=f"expires in {span(left_s)}" if left_s > 0 else f"expired {span(-left_s)} ago",
        remedy="put another into the files of API__TLS_CERT_FILE and API__TLS_KEY_FILE: it is served within seconds",
    )
