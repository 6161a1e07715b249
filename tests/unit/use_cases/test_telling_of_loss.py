"""
A subscriber is told that events of its left unsent, before it gets the next one (L15).
"""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.signing import signature, signing_secret_of
from odim_relay.domain.subscription import Mode
from odim_relay.formats.notices import buffer_exceeded
from odim_relay.ports import TaskTicket
from tests.fakes.relay import TIMEOUT_S, InMemoryRelay
from tests.fakes.samples import subscription

ONE = subscription("s", context="mine")


@pytest.fixture
def ticket(relay: InMemoryRelay) -> TaskTicket:
    """
    Of a delivery to a subscriber that lost three.
    """
    relay.state.lost["s"] = 3
    return relay.ingest(ONE)[0]


def test_word_of_the_loss_comes_first_under_an_id_of_its_own(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    assert relay.deliver(ticket) is None

    word, event = relay.sender.sent
    notice = buffer_exceeded("mine", identity=f"{ticket.delivery_id}/3")
    assert (word.url, word.body) == (ONE.destination, notice.body)
    assert dict(word.headers)["webhook-id"] == notice.event_id == json.loads(word.body)["Id"]
    assert dict(event.headers)["webhook-id"] == ticket.delivery_id
    assert dict(word.headers) | {"webhook-id": ticket.delivery_id} == dict(event.headers)
    assert relay.state.lost["s"] == 0
    assert relay.state.deliveries == {}


def test_word_of_it_is_signed_as_well(relay: InMemoryRelay) -> None:
    secret = signing_secret_of(bytes(24))
    relay.state.lost["s"] = 3
    (ticket,) = relay.ingest(replace(ONE, signing_secret=secret))

    relay.deliver(ticket)

    for sent in relay.sender.sent:
        headers = dict(sent.headers)
        made = signature(secret, headers["webhook-id"], headers["webhook-timestamp"], sent.body)
        assert headers["webhook-signature"] == made


def test_word_of_it_goes_to_a_backup_too(relay: InMemoryRelay) -> None:
    backup = "https://backup.test/"
    relay.state.lost["s"] = 3
    relay.sender.answers = [Outcome(status=503)]
    (ticket,) = relay.ingest(replace(ONE, backup_destinations=(backup,)))

    assert relay.deliver(ticket) is None

    assert [sent.url for sent in relay.sender.sent] == [ONE.destination, backup, backup]
    assert relay.state.lost["s"] == 0


def test_it_is_told_once(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    relay.deliver(ticket)
    (following,) = relay.ingest(ONE)
    relay.deliver(following)

    assert len(relay.sender.sent) == 3


def test_what_is_lost_meanwhile_is_told_later(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    relay.sender.on_send = lambda: relay.state.lost.update({"s": 1})
    relay.deliver(ticket)

    assert relay.state.lost["s"] == 2


@pytest.mark.parametrize("outcome", [Outcome(status=503, detail="busy"), Outcome(failure=Failure.TIMEOUT)])
def test_its_failure_is_the_attempts(relay: InMemoryRelay, ticket: TaskTicket, outcome: Outcome) -> None:
    relay.sender.answers = [outcome]

    retry = relay.deliver(ticket)

    assert retry is not None
    assert len(relay.sender.sent) == 1
    assert relay.kept.last is not None
    assert relay.kept.last.outcome == outcome
    assert relay.state.lost["s"] == 3


def test_it_has_the_same_id_when_the_same_delivery_tells_it_again(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    relay.sender.answers = [Outcome(failure=Failure.TIMEOUT)]
    retry = relay.deliver(ticket)
    assert retry is not None

    relay.deliver(retry)

    first, second, _ = relay.sender.sent
    assert dict(first.headers)["webhook-id"] == dict(second.headers)["webhook-id"]
    assert first.body == second.body


def test_who_is_gone_is_suspended(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    relay.sender.answers = [Outcome(status=410)]

    assert relay.deliver(ticket) is None

    assert (relay.kept.reason, relay.state.suspended) == (ParkReason.GONE, {"s": "gone"})
    assert relay.state.lost["s"] == 3


def test_who_refuses_to_hear_it_gets_the_event_and_is_not_told_again(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    relay.sender.answers = [Outcome(status=400)]

    assert relay.deliver(ticket) is None

    assert len(relay.sender.sent) == 2
    assert relay.state.lost["s"] == 0
    assert relay.state.deliveries == {}


def lapse(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    relay.state.deadlines[ticket.delivery_id] = -1


def delete(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    del ticket
    relay.store.delete("s")


@pytest.mark.parametrize("end", [lapse, delete])
@pytest.mark.parametrize("asks_first", [True, False])
def test_the_event_is_not_sent_when_the_right_to_it_ended_meanwhile(
    relay: InMemoryRelay,
    ticket: TaskTicket,
    end: Callable[[InMemoryRelay, TaskTicket], None],
    asks_first: bool,
) -> None:
    relay.sender.on_send = lambda: end(relay, ticket)
    relay.sender.asks_first = asks_first

    assert relay.deliver(ticket) is None

    assert len(relay.sender.sent) == (0 if asks_first else 1)
    assert relay.kept.state is State.SENDING


@pytest.mark.parametrize(("took_s", "left_s"), [(0.5, TIMEOUT_S - 0.5), (14.8, 1.0)])
def test_both_share_one_deadline(relay: InMemoryRelay, ticket: TaskTicket, took_s: float, left_s: float) -> None:
    relay.sender.answers = [Outcome(status=200, duration_s=took_s)]

    relay.deliver(ticket)

    assert relay.sender.timeouts == [TIMEOUT_S, left_s]


def test_neither_is_repeated_to_who_gets_all_at_most_once(relay: InMemoryRelay) -> None:
    relay.state.lost["s"] = 1
    (ticket,) = relay.ingest(replace(ONE, mode=Mode.AT_MOST_ONCE))

    relay.deliver(ticket)

    assert [sent.is_repeatable for sent in relay.sender.sent] == [False, False]
