from dataclasses import replace

import pytest

from odim_relay.adapters.security.signing import Ed25519Signer, new_signing_key
from odim_relay.domain.authentication import Authentication, Basic, Bearer, ClientCredentials
from odim_relay.domain.decision import DELIVERED, Park, RetryAfter
from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.signing import RetiredSecret, signature, signed_content, signing_secret_of
from odim_relay.domain.subscription import Mode, RetryPolicy
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Claim, LastAttempt, Notice, Refusal, TaskTicket
from tests.fakes.delivery_ledger import InMemoryDeliveryLedger
from tests.fakes.relay import RETRIES, TIMEOUT_S, InMemoryRelay
from tests.fakes.samples import subscription
from tests.unit.use_cases.conftest import Logs

ONE = subscription("s")


def test_a_delivery_that_is_answered_2xx_leaves_the_ledger(relay: InMemoryRelay) -> None:
    (ticket,) = relay.ingest(ONE)

    assert relay.deliver(ticket) is None

    assert relay.state.deliveries == {}
    assert relay.state.counters["deliveries:delivered"] == 1


def test_the_request_carries_the_event_and_the_same_id_at_each_attempt_by_semantics_s6(relay: InMemoryRelay) -> None:
    relay.sender.answers = [Outcome(status=503)]
    (ticket,) = relay.ingest(replace(ONE, destination="https://example.test/hook?token=x"))
    retry = relay.deliver(ticket)
    assert retry is not None
    relay.deliver(retry)

    first, second = relay.sender.sent
    assert (first.url, first.body) == ("https://example.test/hook?token=x", b"payload of event-0-0")
    assert dict(first.headers) == {
        "Content-Type": "application/json",
        "OData-Version": "4.0",
        "webhook-id": ticket.delivery_id,
        "webhook-timestamp": "1234",
        "x-odim-relay-attempt": "1",
    }
    assert dict(second.headers) == {**dict(first.headers), "x-odim-relay-attempt": "2"}
    assert second.body == first.body
    assert relay.sender.timeouts == [TIMEOUT_S, TIMEOUT_S]


def test_a_subscribers_headers_win_over_the_fixed_ones_but_not_over_the_identity(relay: InMemoryRelay) -> None:
    (ticket,) = relay.ingest(replace(ONE, headers=(("Content-Type", "theirs"), ("webhook-id", "theirs"))))

    relay.deliver(ticket)

    (sent,) = relay.sender.sent
    assert dict(sent.headers)["Content-Type"] == "theirs"
    assert dict(sent.headers)["webhook-id"] == ticket.delivery_id


@pytest.mark.parametrize("verify", [None, True, False])
def test_a_subscription_says_whether_its_receiver_is_verified(relay: InMemoryRelay, verify: bool | None) -> None:
    (ticket,) = relay.ingest(replace(ONE, verify_certificate=verify))

    relay.deliver(ticket)

    assert relay.sender.sent[0].tls.is_verified is verify


def test_each_attempt_is_signed_with_the_secret_of_its_time(relay: InMemoryRelay) -> None:
    old, new = signing_secret_of(bytes(24)), signing_secret_of(bytes(32))
    relay.sender.answers = [Outcome(status=503)]
    (ticket,) = relay.ingest(replace(ONE, signing_secret=old))
    retry = relay.deliver(ticket)
    assert retry is not None
    relay.store.save(replace(ONE, signing_secret=new))
    relay.now_s = 5_678

    relay.deliver(retry)

    first, second = relay.sender.sent
    body = b"payload of event-0-0"
    assert dict(first.headers)["webhook-signature"] == signature(old, ticket.delivery_id, "1234", body)
    assert dict(second.headers)["webhook-signature"] == signature(new, ticket.delivery_id, "5678", body)


def test_a_request_is_signed_with_every_secret_and_key_that_is_live(relay: InMemoryRelay) -> None:
    old, new, key = signing_secret_of(bytes(24)), signing_secret_of(bytes(32)), new_signing_key()
    retired = (RetiredSecret(secret=old, until_s=1_300), RetiredSecret(secret=signing_secret_of(bytes(40)), until_s=7))
    (ticket,) = relay.ingest(replace(ONE, signing_secret=new, signing_key=key, retired_secrets=retired))

    relay.deliver(ticket)

    (sent,) = relay.sender.sent
    content = signed_content(ticket.delivery_id, "1234", sent.body)
    assert dict(sent.headers)["webhook-signature"].split(" ") == [
        signature(new, ticket.delivery_id, "1234", sent.body),
        Ed25519Signer().sign(key, content),
        signature(old, ticket.delivery_id, "1234", sent.body),
    ]


def test_who_we_are_goes_with_the_request(relay: InMemoryRelay) -> None:
    credentials = ClientCredentials(token_url="https://idp.test/", client_id="me", client_secret="s")
    ways: tuple[Authentication, ...] = (Basic(username="a", password="b"), Bearer(token="t"), credentials)
    for number, authentication in enumerate(ways):
        (ticket,) = relay.ingest(replace(ONE, subscription_id=f"s{number}", authentication=authentication))
        relay.deliver(ticket)

    basic, bearer, oauth = relay.sender.sent
    assert dict(basic.headers)["Authorization"] == "Basic YTpi"
    assert dict(bearer.headers)["Authorization"] == "Bearer t"
    assert (dict(oauth.headers).get("Authorization"), oauth.credentials) == (None, credentials)
    assert basic.credentials is None


def test_without_its_secrets_nothing_is_sent_and_the_delivery_waits(relay: InMemoryRelay) -> None:
    (ticket,) = relay.ingest(replace(ONE, sealed_by="0a1b2c3d"))

    retry = relay.deliver(ticket)

    assert retry is not None
    assert relay.sender.sent == []
    last = relay.kept.last
    assert last is not None
    assert last.outcome.failure is Failure.SEALED
    assert "SECRETS__ENCRYPTION_KEYS has no key 0a1b2c3d" in last.outcome.detail


def test_a_backup_takes_what_its_destination_does_not(relay: InMemoryRelay) -> None:
    relay.sender.answers = [Outcome(status=503)]
    (ticket,) = relay.ingest(replace(ONE, backup_destinations=("https://backup.test/",)))

    assert relay.deliver(ticket) is None

    meant, backup = relay.sender.sent
    assert (meant.url, backup.url) == (ONE.destination, "https://backup.test/")
    assert (backup.body, backup.headers) == (meant.body, meant.headers)
    assert relay.state.deliveries == {}


def test_the_destination_that_was_meant_is_named_when_its_backups_fail_too(relay: InMemoryRelay) -> None:
    relay.sender.answers = [Outcome(failure=Failure.DNS, detail="no name"), Outcome(status=500, detail="answered 500")]
    (ticket,) = relay.ingest(replace(ONE, backup_destinations=("https://backup.test/",)))

    relay.deliver(ticket)

    assert relay.kept.last is not None
    assert relay.kept.last.destination == ONE.destination
    assert relay.kept.last.outcome.detail == "destination: no name; backup 1: answered 500"


def test_a_refused_ticket_sends_nothing_by_rule_l5(relay: InMemoryRelay) -> None:
    (ticket,) = relay.ingest(ONE)
    relay.deliver(ticket)

    assert relay.deliver(ticket) is None

    assert len(relay.sender.sent) == 1


# --- failures ---


def test_a_transient_failure_is_retried_with_the_schedules_wait(relay: InMemoryRelay) -> None:
    relay.sender.default = Outcome(status=500)
    (ticket,) = relay.ingest(ONE)

    first = relay.deliver(ticket)

    assert first == TaskTicket(delivery_id=ticket.delivery_id, seq=3, wait_s=15)
    assert relay.kept.state is State.RETRYING
    second = relay.deliver(first)
    assert second is not None
    assert second.wait_s == 45


def test_a_subscriptions_policy_decides_about_the_waits(relay: InMemoryRelay) -> None:
    relay.sender.default = Outcome(status=500)
    (ticket,) = relay.ingest(replace(ONE, retry_policy=RetryPolicy.FOREVER))

    first = relay.deliver(ticket)
    assert first is not None
    second = relay.deliver(first)

    assert second is not None
    assert (first.wait_s, second.wait_s) == (15, 15)


def test_a_delivery_whose_retries_are_used_up_is_parked_and_comes_again_as_a_replay(relay: InMemoryRelay) -> None:
    relay.sender.default = Outcome(failure=Failure.CONNECT)
    (ticket,) = relay.ingest(ONE)
    retry: TaskTicket | None = ticket
    while retry is not None:
        retry = relay.deliver(retry)

    assert len(relay.sender.sent) == 1 + RETRIES
    assert all("x-odim-relay-replay" not in dict(sent.headers) for sent in relay.sender.sent)
    assert (relay.kept.state, relay.kept.reason) == (State.PARKED, ParkReason.EXHAUSTED)

    assert relay.deliver(relay.state.admit(relay.kept)) is None

    assert relay.sender.sent[-1].headers[-1] == ("x-odim-relay-replay", "1")
    assert dict(relay.sender.sent[-1].headers)["webhook-id"] == ticket.delivery_id
    assert (relay.kept.state, relay.kept.reason) == (State.PARKED, ParkReason.EXHAUSTED)


def test_a_rejection_parks_at_once_by_semantics_s3(relay: InMemoryRelay) -> None:
    relay.sender.default = Outcome(status=400)
    (ticket,) = relay.ingest(ONE)

    assert relay.deliver(ticket) is None

    assert (relay.kept.state, relay.kept.reason) == (State.PARKED, ParkReason.REJECTED)
    assert relay.state.suspended == {}


@pytest.mark.usefixtures("logs")
def test_410_suspends_the_subscription_and_keeps_its_events_by_semantics_s2(relay: InMemoryRelay) -> None:
    relay.sender.default = Outcome(status=410)
    (ticket,) = relay.ingest(ONE)

    assert relay.deliver(ticket) is None

    assert (relay.kept.state, relay.kept.reason) == (State.PARKED, ParkReason.GONE)
    assert relay.state.suspended == {"s": "gone"}
    assert relay.ingest(ONE) == []
    assert relay.publisher.call_count == 1


def test_what_is_told_of_a_failure_has_no_secrets(relay: InMemoryRelay, logs: Logs) -> None:
    relay.sender.default = Outcome(status=400, duration_s=0.123_456)
    (ticket,) = relay.ingest(replace(ONE, destination="https://user:password@example.test/hook?token=x"))

    relay.deliver(ticket)

    assert relay.kept.last is not None
    assert relay.kept.last.destination == "https://example.test/hook"
    line, parked = logs
    assert (parked["event"], parked["reason"], parked["subscription_id"]) == ("dead_letter.parked", "rejected", "s")
    assert (line["event"], line["destination"]) == ("delivery.attempted", "https://example.test/hook")
    assert (line["attempt"], line["status"], line["decision"], line["duration_s"]) == (1, 400, "Park", 0.123)


@pytest.mark.usefixtures("logs")
def test_a_fault_of_our_own_parks_as_broken_by_rule_l20(relay: InMemoryRelay) -> None:
    relay.sender.answers = [ZeroDivisionError("ours")]
    (ticket,) = relay.ingest(ONE)

    assert relay.deliver(ticket) is None

    assert (relay.kept.state, relay.kept.reason) == (State.PARKED, ParkReason.BROKEN)
    assert relay.kept.last == LastAttempt(outcome=Outcome(detail="ZeroDivisionError: ours"), destination="")
    (noted,) = relay.attempted
    assert (noted.outcome, noted.decision) == (relay.kept.last.outcome, Park(reason=ParkReason.BROKEN))


def test_a_store_that_fails_is_no_fault_of_the_event(relay: InMemoryRelay) -> None:
    relay.sender.answers = [TransientError("Redis is away")]
    (ticket,) = relay.ingest(ONE)

    with pytest.raises(TransientError):
        relay.deliver(ticket)

    assert relay.kept.state is State.SENDING


# --- leases and changes of the subscription ---


def test_a_sender_that_may_not_send_any_more_leaves_the_delivery_to_the_reaper_by_rule_l17(
    relay: InMemoryRelay,
) -> None:
    (ticket,) = relay.ingest(ONE)
    relay.sender.asks_first = True
    relay.sender.on_send = lambda: relay.state.deadlines.update({ticket.delivery_id: -1})

    assert relay.deliver(ticket) is None

    assert relay.sender.sent == []
    assert relay.kept.state is State.SENDING


def test_nothing_is_sent_once_the_subscription_is_deleted_by_semantics_s19(relay: InMemoryRelay) -> None:
    (ticket,) = relay.ingest(ONE)
    relay.sender.asks_first = True
    relay.sender.on_send = lambda: relay.store.delete("s")

    assert relay.deliver(ticket) is None

    assert relay.sender.sent == []


def test_a_subscription_that_is_deleted_between_claim_and_look_up_costs_no_attempt(relay: InMemoryRelay) -> None:
    class Deleting(InMemoryDeliveryLedger):
        def claim(self, ticket: TaskTicket) -> Claim | Refusal:
            claim = super().claim(ticket)
            relay.store.delete("s")
            return claim if isinstance(claim, Refusal) else replace(claim, generation=relay.store.generation())

    (ticket,) = relay.ingest(ONE)

    assert relay.delivering_over(Deleting(relay.state))(ticket) is None

    assert relay.sender.sent == []
    assert relay.publisher.queue == []
    assert (relay.kept.state, relay.kept.attempts) == (State.QUEUED, 0)


def test_a_change_of_destination_counts_from_the_next_attempt(relay: InMemoryRelay) -> None:
    relay.sender.answers = [Outcome(status=503)]
    (ticket,) = relay.ingest(replace(ONE, destination="https://old.test/"))
    retry = relay.deliver(ticket)
    assert retry is not None
    relay.store.save(replace(ONE, destination="https://new.test/"))

    relay.deliver(retry)

    assert [sent.url for sent in relay.sender.sent] == ["https://old.test/", "https://new.test/"]


# --- at most once ---


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize(
    "answer", [Outcome(status=503, retry_after_s=1), Outcome(status=400), Outcome(status=410), ZeroDivisionError()]
)
def test_what_is_sent_at_most_once_is_never_retried_nor_kept_by_rule_l19(
    relay: InMemoryRelay, answer: Outcome | Exception
) -> None:
    relay.sender.answers = [answer]
    (ticket,) = relay.ingest(replace(ONE, mode=Mode.AT_MOST_ONCE))

    assert relay.deliver(ticket) is None
    assert relay.deliver(ticket) is None

    assert len(relay.sender.sent) == 1
    assert relay.state.deliveries == {}
    assert relay.state.counters["deliveries:at_most_once"] == 1


@pytest.mark.parametrize("mode", Mode)
def test_only_what_is_sent_at_most_once_may_not_be_repeated_by_the_sender(relay: InMemoryRelay, mode: Mode) -> None:
    (ticket,) = relay.ingest(replace(ONE, mode=mode))

    relay.deliver(ticket)

    assert relay.sender.sent[0].is_repeatable == (mode is not Mode.AT_MOST_ONCE)


# --- what an attempt lets go ---


class Letting(InMemoryDeliveryLedger):
    """
    Each completion lets these tickets go, and tells of these changes.
    """

    tickets: tuple[TaskTicket, ...] = (TaskTicket(delivery_id="a", seq=1), TaskTicket(delivery_id="b", seq=1))
    notices: tuple[Notice, ...] = ()
    is_fast: bool | None = None
    is_slowing: bool | None = None

    def complete(self, claim: Claim, *, is_fast: bool = False, is_slowing: bool = False) -> Aftermath:
        self.is_fast, self.is_slowing = is_fast, is_slowing
        super().complete(claim)
        return Aftermath(tickets=self.tickets, notices=self.notices)


def test_what_an_attempt_lets_go_is_published_and_somebody_called_to_tell_what_changed(relay: InMemoryRelay) -> None:
    ledger = Letting(relay.state)
    ledger.notices = (Notice(name="breaker_closed", subject="d"),)
    (ticket,) = relay.ingest(ONE)

    assert relay.delivering_over(ledger)(ticket) is None

    assert relay.publisher.queue == list(ledger.tickets)
    assert relay.publisher.call_count == 1


def test_a_broker_that_is_away_costs_no_delivery(relay: InMemoryRelay, logs: Logs) -> None:
    relay.publisher.is_down = True
    (ticket,) = relay.ingest(ONE)

    assert relay.delivering_over(Letting(relay.state))(ticket) is None

    assert relay.state.counters["deliveries:delivered"] == 1
    (line,) = [line for line in logs if line["event"] == "deliveries.not_published"]
    assert line["count"] == 2


@pytest.mark.parametrize(("duration_s", "is_fast"), [(0.0, True), (1.0, True), (1.001, False)])
def test_the_ledger_hears_of_fast_answers_by_rule_l18(relay: InMemoryRelay, duration_s: float, is_fast: bool) -> None:
    relay.sender.default = Outcome(status=200, duration_s=duration_s)
    ledger = Letting(relay.state)
    (ticket,) = relay.ingest(ONE)

    relay.delivering_over(ledger)(ticket)

    assert ledger.is_fast is is_fast


def test_the_ledger_hears_of_answers_that_get_slow(relay: InMemoryRelay) -> None:
    ledger = Letting(relay.state)
    ledger.tickets = ()
    deliver, told = relay.delivering_over(ledger), []
    for offset, duration_s in enumerate((0.1, 0.4, 0.6, 0.1)):
        relay.sender.default = Outcome(status=200, duration_s=duration_s)
        (ticket,) = relay.ingest(replace(ONE, subscription_id=f"s{offset}"))
        deliver(ticket)
        told.append(ledger.is_slowing)

    assert told == [False, False, True, False]


def test_what_the_event_service_sets_counts_for_the_next_attempt(relay: InMemoryRelay) -> None:
    relay.sender.default = Outcome(status=503)
    (ticket,) = relay.ingest(ONE)
    retry = relay.deliver(ticket)
    assert retry is not None

    relay.services.update(lambda said: replace(said, retry_interval_s=7))
    retry = relay.deliver(retry)
    assert retry is not None
    assert retry.wait_s == 21  # the second of growing waits
    relay.services.update(lambda said: replace(said, retry_attempts=2))

    assert relay.deliver(retry) is None
    assert relay.kept.reason is ParkReason.EXHAUSTED


def test_each_attempt_is_noted_with_what_becomes_of_it(relay: InMemoryRelay) -> None:
    relay.sender.answers = [Outcome(status=503), Outcome(status=204)]
    (ticket,) = relay.ingest(ONE)
    retry = relay.deliver(ticket)
    assert retry is not None
    relay.deliver(retry)

    first, second = relay.attempted
    assert (first.subscription_id, first.delivery_id) == ("s", ticket.delivery_id)
    assert (first.attempt, first.outcome.status, first.decision) == (1, 503, RetryAfter(wait_s=15))
    assert (second.attempt, second.outcome.status, second.decision) == (2, 204, DELIVERED)
    assert first.ended_at_s == relay.now_s
    assert first.destination == ONE.destination
    assert first.recorded_at_ms == (1_000,)


def test_what_was_not_sent_since_the_lease_was_lost_is_no_attempt(relay: InMemoryRelay) -> None:
    relay.sender.asks_first = True
    (ticket,) = relay.ingest(ONE)
    relay.sender.on_send = lambda: relay.state.deadlines.update({ticket.delivery_id: -1})

    relay.deliver(ticket)

    assert relay.sender.sent == []
    assert relay.attempted == []


@pytest.mark.parametrize("traceparent", ["", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
def test_the_trace_that_a_record_belongs_to_is_passed_on_at_each_attempt(
    relay: InMemoryRelay, traceparent: str
) -> None:
    relay.sender.answers = [Outcome(status=503)]
    (ticket,) = relay.ingest(ONE)
    for body in relay.state.bodies.values():
        body.traceparent = traceparent
    retry = relay.deliver(ticket)
    assert retry is not None
    relay.deliver(retry)

    told = [dict(request.headers).get("traceparent") for request in relay.sender.sent]

    assert told == [traceparent or None] * 2
