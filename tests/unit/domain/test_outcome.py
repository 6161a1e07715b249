import pytest

from odim_relay.domain.outcome import JUDGEMENTS, Failure, Outcome, Standing, Verdict, standing_of, verdict_of

# Semantics S2 to S4, in full.
_TRANSIENT_4XX = {401, 403, 404, 408, 421, 425, 429}


def expected(status: int) -> Verdict:
    match status // 100:
        case 2:
            return Verdict.DELIVERED
        case 4 if status == 410:
            return Verdict.GONE
        case 4 if status not in _TRANSIENT_4XX:
            return Verdict.REJECTED
        case _:
            return Verdict.TRANSIENT


@pytest.mark.parametrize("hundred", range(1, 6))
def test_every_status_is_judged_as_the_semantics_say(hundred: int) -> None:
    statuses = range(hundred * 100, hundred * 100 + 100)

    assert {status: verdict_of(Outcome(status=status)) for status in statuses} == {
        status: expected(status) for status in statuses
    }


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (204, Verdict.DELIVERED),
        (299, Verdict.DELIVERED),
        (199, Verdict.TRANSIENT),
        (300, Verdict.TRANSIENT),
        (302, Verdict.TRANSIENT),
        (400, Verdict.REJECTED),
        (401, Verdict.TRANSIENT),
        (404, Verdict.TRANSIENT),
        (410, Verdict.GONE),
        (413, Verdict.REJECTED),
        (422, Verdict.REJECTED),
        (429, Verdict.TRANSIENT),
        (499, Verdict.REJECTED),
        (500, Verdict.TRANSIENT),
        (599, Verdict.TRANSIENT),
    ],
)
def test_the_statuses_that_are_named_are_judged_so(status: int, verdict: Verdict) -> None:
    assert verdict_of(Outcome(status=status)) is verdict


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_without_a_status_is_transient(failure: Failure) -> None:
    assert verdict_of(Outcome(failure=failure)) is Verdict.TRANSIENT


def test_the_table_has_every_status_and_every_failure_and_nothing_else() -> None:
    assert set(JUDGEMENTS) == {*range(100, 600), *Failure}


def test_a_fault_of_our_own_is_transient() -> None:
    assert verdict_of(Outcome(detail="ZeroDivisionError")) is Verdict.TRANSIENT


def test_a_wish_to_wait_does_not_change_the_verdict() -> None:
    assert verdict_of(Outcome(status=503, retry_after_s=86_400)) is Verdict.TRANSIENT
    assert verdict_of(Outcome(status=200, retry_after_s=86_400)) is Verdict.DELIVERED


# --- what it says of the destination ---

# Ledger rules L29 and L30, in full.
_UNREACHABLE = {Failure.DNS, Failure.CONNECT, Failure.CONNECT_TIMEOUT, Failure.TLS, Failure.FORBIDDEN, Failure.PROXY}


def test_who_answers_for_good_is_alive_and_who_does_not_is_failing() -> None:
    def standing(status: int) -> Standing:
        return Standing.FAILING if expected(status) is Verdict.TRANSIENT else Standing.ALIVE

    assert {status: standing_of(Outcome(status=status)) for status in range(100, 600)} == {
        status: standing(status) for status in range(100, 600)
    }


@pytest.mark.parametrize("status", [200, 204, 400, 405, 410, 413, 422])
def test_a_success_and_a_refusal_for_good_prove_it_alive_by_rule_l29(status: int) -> None:
    assert standing_of(Outcome(status=status)) is Standing.ALIVE


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 503])
def test_what_may_pass_is_a_failure_of_it(status: int) -> None:
    assert standing_of(Outcome(status=status, retry_after_s=1)) is Standing.FAILING


@pytest.mark.parametrize("failure", [one for one in Failure if one is not Failure.SEALED])
def test_who_takes_no_connection_is_unreachable_by_rule_l30(failure: Failure) -> None:
    is_unreachable = failure in _UNREACHABLE

    assert standing_of(Outcome(failure=failure)) is (Standing.UNREACHABLE if is_unreachable else Standing.FAILING)


def test_a_fault_of_our_own_says_nothing_of_it() -> None:
    assert standing_of(Outcome(detail="ZeroDivisionError")) is Standing.NOTHING


def test_a_destination_is_not_to_blame_for_secrets_that_we_cannot_read() -> None:
    assert standing_of(Outcome(failure=Failure.SEALED)) is Standing.WITHHELD
