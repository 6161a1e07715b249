import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.backoff import Backoff
from odim_relay.domain.decision import Delivered, Park, RetryAfter, Schedule, Suspend, decide
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event_service import EventServiceSettings
from odim_relay.domain.outcome import Failure, Outcome, Verdict, verdict_of
from odim_relay.domain.subscription import RetryPolicy

SCHEDULE = Schedule(retries=5, backoff=Backoff(interval_s=15, factor=3, max_interval_s=900, jitter=0))
CONSTANT = (RetryPolicy.FOREVER, RetryPolicy.SUSPEND, RetryPolicy.TERMINATE)

outcomes = st.one_of(
    st.builds(Outcome, status=st.integers(100, 599), retry_after_s=st.none() | st.floats(0, 86_400)),
    st.builds(Outcome, failure=st.sampled_from(Failure)),
)


@given(
    outcome=outcomes,
    attempt=st.integers(1, 10),
    policy=st.sampled_from(RetryPolicy),
    draw=st.floats(0, 1, exclude_max=True),
)
def test_every_outcome_has_its_decision(outcome: Outcome, attempt: int, policy: RetryPolicy, draw: float) -> None:
    decision = decide(outcome, attempt, SCHEDULE, policy, draw)

    match verdict_of(outcome):
        case Verdict.DELIVERED:
            assert decision == Delivered()
        case Verdict.GONE:
            assert decision == Suspend()
        case Verdict.REJECTED:
            assert decision == Park(reason=ParkReason.REJECTED)
        case Verdict.TRANSIENT if attempt > SCHEDULE.retries:
            assert decision == Park(reason=ParkReason.EXHAUSTED)
        case Verdict.TRANSIENT:
            assert isinstance(decision, RetryAfter)
            assert decision.wait_s == max(SCHEDULE.wait_s(policy, attempt, draw), outcome.retry_after_s or 0)


def waits(policy: RetryPolicy) -> list[float]:
    found = [decide(Outcome(status=503), attempt, SCHEDULE, policy, 0.5) for attempt in range(1, 6)]
    return [decision.wait_s for decision in found if isinstance(decision, RetryAfter)]


def test_the_default_policy_waits_longer_each_time_by_rule_l24() -> None:
    assert waits(RetryPolicy.FOREVER_WITH_BACKOFF) == [15, 45, 135, 405, 900]


@pytest.mark.parametrize("policy", CONSTANT)
def test_the_other_policies_wait_always_the_same(policy: RetryPolicy) -> None:
    assert waits(policy) == [15, 15, 15, 15, 15]


def test_a_constant_wait_has_jitter_too() -> None:
    schedule = Schedule(retries=5, backoff=Backoff(interval_s=10, jitter=0.2))

    assert schedule.wait_s(RetryPolicy.FOREVER, 4, 0.0) == pytest.approx(8)
    assert schedule.wait_s(RetryPolicy.FOREVER, 4, 0.999_999) == pytest.approx(12, abs=0.01)


@pytest.mark.parametrize(("asked_s", "wait_s"), [(None, 15), (0, 15), (1, 15), (15.5, 15.5), (86_400, 86_400)])
def test_a_wish_to_wait_counts_when_it_is_longer_than_the_schedule_by_semantics_s4(
    asked_s: float | None, wait_s: float
) -> None:
    outcome = Outcome(status=429, retry_after_s=asked_s)

    assert decide(outcome, 1, SCHEDULE, RetryPolicy.FOREVER, 0.5) == RetryAfter(wait_s=wait_s)


def test_without_retries_the_first_failure_uses_the_attempts_up() -> None:
    schedule = Schedule(retries=0, backoff=Backoff())

    assert decide(Outcome(status=500), 1, schedule, RetryPolicy.FOREVER, 0.5) == Park(reason=ParkReason.EXHAUSTED)


def test_what_the_event_service_sets_goes_before_the_settings() -> None:
    schedule = Schedule(retries=5, backoff=Backoff(interval_s=15, max_interval_s=900, jitter=0))

    set_by_all = schedule.under(EventServiceSettings(retry_attempts=0, retry_interval_s=2_000))

    assert set_by_all.retries == 0
    assert set_by_all.wait_s(RetryPolicy.FOREVER, 1, 0.5) == 2_000
    assert set_by_all.wait_s(RetryPolicy.FOREVER_WITH_BACKOFF, 9, 0.5) == 2_000
    assert schedule.under(EventServiceSettings()) == schedule
