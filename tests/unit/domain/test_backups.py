import pytest

from odim_relay.domain.backups import Rest, Tried, calls_for_rest, outcome_of_all
from odim_relay.domain.outcome import Failure, Outcome

BUSY = Outcome(status=503, detail="answered 503", duration_s=1.0)
REFUSED = Outcome(failure=Failure.CONNECT, detail="no connection", duration_s=0.5, is_unsent=True)
REJECTED = Outcome(status=400, detail="answered 400", duration_s=0.25)
GONE = Outcome(status=410, detail="answered 410")


def tried(*outcomes: Outcome) -> list[Tried]:
    return [Tried(number, outcome) for number, outcome in enumerate(outcomes)]


def test_one_that_was_tried_alone_speaks_for_itself() -> None:
    assert outcome_of_all(tried(BUSY)) is BUSY


@pytest.mark.parametrize(
    ("outcomes", "counts"),
    [
        # A transient one is worth another attempt.
        ((REJECTED, BUSY), BUSY),
        ((GONE, REFUSED), REFUSED),
        # Without any it is as the destination that was meant says.
        ((GONE, REJECTED), GONE),
        ((REJECTED, GONE), REJECTED),
        # Knocking is for those that cannot be reached: here one was, and answers errors.
        ((REFUSED, BUSY), BUSY),
        ((REFUSED, Outcome(failure=Failure.TIMEOUT), BUSY), Outcome(failure=Failure.TIMEOUT)),
    ],
)
def test_the_most_hopeful_outcome_counts(outcomes: tuple[Outcome, ...], counts: Outcome) -> None:
    summed = outcome_of_all(tried(*outcomes))

    assert (summed.status, summed.failure) == (counts.status, counts.failure)


def test_the_details_tell_of_all_and_the_time_is_that_of_all() -> None:
    summed = outcome_of_all(tried(REFUSED, BUSY, REJECTED))

    assert summed.detail == "destination: no connection; backup 1: answered 503; backup 2: answered 400"
    assert summed.duration_s == 1.75


def test_a_backup_that_was_tried_alone_is_told_by_its_number() -> None:
    assert outcome_of_all([Tried(2, BUSY)]).detail == "backup 2: answered 503"


@pytest.mark.parametrize(
    ("waits", "wait"), [((60, 30), 30), ((60, None), None), ((None, 60), None), ((None, None), None)]
)
def test_who_does_not_ask_to_wait_may_be_asked_earlier(
    waits: tuple[float | None, float | None], wait: float | None
) -> None:
    outcomes = [Outcome(status=503, retry_after_s=one) for one in waits]

    assert outcome_of_all(tried(*outcomes, REJECTED)).retry_after_s == wait


@pytest.mark.parametrize(("outcomes", "is_unsent"), [((REFUSED, REFUSED), True), ((REFUSED, BUSY), False)])
def test_nothing_was_sent_when_nobody_was_sent_anything(outcomes: tuple[Outcome, ...], is_unsent: bool) -> None:
    assert outcome_of_all(tried(*outcomes)).is_unsent is is_unsent


@pytest.mark.parametrize(
    ("outcome", "rests"), [(BUSY, True), (REFUSED, True), (GONE, True), (REJECTED, False), (Outcome(status=204), False)]
)
def test_who_refuses_one_event_may_take_the_next(outcome: Outcome, rests: bool) -> None:
    assert calls_for_rest(outcome) is rests


# --- rests ---


def test_rests_double_from_30_s_up_to_300_s() -> None:
    lengths, rest = [], None
    for _ in range(6):
        rest = Rest.after(rest, 0)
        lengths.append(rest.length_s)

    assert lengths == [30, 60, 120, 240, 300, 300]


@pytest.mark.parametrize(("now_s", "is_over"), [(100, False), (129.9, False), (130, True), (99.9, True)])
def test_a_rest_is_over_after_its_length_or_when_the_clock_was_put_back(now_s: float, is_over: bool) -> None:
    assert Rest(100, 30).is_over(now_s) is is_over


def test_a_rest_can_begin_again() -> None:
    again = Rest(100, 60).again(160)

    assert (again.began_at_s, again.length_s) == (160, 60)
