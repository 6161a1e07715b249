"""
Delivering several events in one request.
"""

import json
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.event import WHOLE, Shape
from odim_relay.domain.identity import batch_id
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Mode
from odim_relay.ports import Claim, NewDelivery, NewEvent, Position, TaskTicket
from odim_relay.use_cases.boarding import board, pack
from tests.fakes.relay import InMemoryRelay
from tests.fakes.samples import PARTITION, START, batch, subscription

ONE = replace(subscription("s"), batch_size=4)


def take_in(relay: InMemoryRelay, *payloads: bytes, shape: Shape = WHOLE) -> TaskTicket:
    """
    Take these events in, all but the first of which wait; returns the ticket of that.
    """
    believed = relay.ingest_ledger.position(PARTITION) or START
    if believed == START:
        relay.ingest_ledger.set_position(PARTITION, None, START)
    names = [f"{believed.offset}-{at}" for at in range(len(payloads))]
    written = relay.ingest_ledger.ingest(
        replace(
            batch(believed=believed, generation=relay.store.generation()),
            reached=Position(topic_epoch=believed.topic_epoch, offset=believed.offset + 1),
            events=[
                NewEvent(event_id=f"e-{name}", payload=payload, record="", recorded_at_ms=at)
                for at, (name, payload) in enumerate(zip(names, payloads, strict=True))
            ],
            deliveries=[
                NewDelivery(delivery_id=f"d-{name}", subscription_id="s", event_index=at, shape=shape)
                for at, name in enumerate(names)
            ],
        )
    )
    assert written is not None
    for kept in list(relay.state.deliveries.values())[1:]:
        relay.state.park(kept, ParkReason.BEHIND, None)
    return written[0]


def event(name: str) -> bytes:
    return json.dumps({"Id": name, "Events": [{"Message": name}]}).encode()


def sent(relay: InMemoryRelay) -> list[list[str]]:
    """
    What each request carried.
    """
    return [[record["Message"] for record in json.loads(request.body)["Events"]] for request in relay.sender.sent]


def ids(relay: InMemoryRelay) -> list[str]:
    return [dict(request.headers)["webhook-id"] for request in relay.sender.sent]


def run(relay: InMemoryRelay, ticket: TaskTicket) -> None:
    """
    Deliver, and whatever that lets go.
    """
    retry = relay.deliver(ticket)
    assert retry is None
    while relay.publisher.queue:
        relay.deliver(relay.publisher.queue.pop(0))


def test_what_waits_goes_in_one_request_under_a_name_made_of_theirs(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)

    run(relay, take_in(relay, *map(event, "abcdef")))

    assert sent(relay) == [["a", "b", "c", "d"], ["e", "f"]]
    assert ids(relay) == [batch_id([f"d-0-{at}" for at in range(4)]), batch_id(["d-0-4", "d-0-5"])]
    assert relay.state.deliveries == {}
    assert relay.state.counters["deliveries:delivered"] == 6


def test_alone_it_goes_by_its_own_name_with_its_event_id(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)

    run(relay, take_in(relay, event("a")))

    assert ids(relay) == ["d-0-0"]
    assert json.loads(relay.sender.sent[0].body)["Events"] == [{"EventId": "e-0-0", "Message": "a"}]


def test_who_wants_no_batches_gets_one_event_in_each_request_as_it_came(relay: InMemoryRelay) -> None:
    relay.store.save(replace(ONE, batch_size=None))

    run(relay, take_in(relay, *map(event, "abc")))

    assert [request.body for request in relay.sender.sent] == [event("a"), event("b"), event("c")]


def test_two_sends_of_the_same_batch_have_equal_bytes(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)
    claim = relay.ledger.claim(take_in(relay, *map(event, "abc")))
    assert isinstance(claim, Claim)
    first = pack(board(claim, relay.ledger), ONE, relay.ledger)
    (again,) = relay.ledger.release(first.claim).tickets

    run(relay, again)

    assert (ids(relay), relay.sender.sent[0].body) == ([first.webhook_id], first.body)


def test_a_culprit_is_parked_alone_and_all_others_arrive(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)
    relay.sender.answers = [Outcome(status=400), Outcome(status=204), Outcome(status=400), Outcome(status=204)]
    relay.sender.answers += [Outcome(status=400)]

    run(relay, take_in(relay, *map(event, "abcd")))

    assert sent(relay) == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]
    assert relay.kept.delivery_id == "d-0-3"
    assert (relay.kept.state, relay.kept.reason) == (State.PARKED, ParkReason.REJECTED)


def test_after_a_transient_failure_the_leader_waits_and_the_others_go(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)
    relay.sender.answers = [Outcome(status=503)]
    ticket = take_in(relay, *map(event, "abcd"))

    retry = relay.deliver(ticket)

    assert retry is not None
    assert retry.delivery_id == "d-0-0"
    assert [kept.state for kept in relay.state.deliveries.values()] == [
        State.RETRYING,
        State.QUEUED,
        State.PARKED,
        State.PARKED,
    ]


def test_what_does_not_fit_goes_by_itself(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)
    report = b'{"MetricValues": []}'

    run(relay, take_in(relay, event("a"), report, event("b"), event("c")))

    bodies: list[Any] = [json.loads(request.body) for request in relay.sender.sent]
    assert [[record["Message"] for record in body.get("Events", ())] for body in bodies] == [["a", "b", "c"], []]
    assert relay.sender.sent[1].body == report


def test_in_order_nothing_passes_what_does_not_fit(relay: InMemoryRelay) -> None:
    relay.store.save(replace(ONE, mode=Mode.ORDERED))
    report = b'{"MetricValues": []}'

    run(relay, take_in(relay, event("a"), event("b"), report, event("c")))

    assert [b"MetricValues" in request.body for request in relay.sender.sent] == [False, True, False]
    assert relay.state.deliveries == {}


def test_a_report_takes_nobody_along(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)

    relay.deliver(take_in(relay, b'{"MetricValues": []}', event("a")))

    assert relay.sender.sent[0].body == b'{"MetricValues": []}'


@pytest.mark.parametrize("broken", [b"no json", b'{"Events": 1'])
def test_a_fault_of_our_own_is_taken_apart_until_the_culprit_stands_alone(relay: InMemoryRelay, broken: bytes) -> None:
    relay.store.save(ONE)

    run(relay, take_in(relay, event("a"), event("b"), broken, event("c")))

    assert sorted(chain.from_iterable(sent(relay))) == ["a", "b", "c"]
    assert (relay.kept.delivery_id, relay.kept.reason) == ("d-0-2", ParkReason.BROKEN)


def test_a_worker_that_may_not_send_any_more_leaves_all_of_it_to_the_reaper(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)
    relay.sender.asks_first = True
    relay.sender.on_send = lambda: relay.store.delete("s")

    relay.deliver(take_in(relay, *map(event, "ab")))

    assert [kept.state for kept in relay.state.deliveries.values()] == [State.SENDING] * 2


def test_a_request_is_noted_as_one_attempt_of_all_that_went_in_it(relay: InMemoryRelay) -> None:
    relay.store.save(ONE)
    ticket = take_in(relay, *map(event, "abc"))

    relay.deliver(ticket)

    (noted,) = relay.attempted
    assert (noted.delivery_id, noted.passenger_ids) == ("d-0-0", ("d-0-1", "d-0-2"))
    assert noted.recorded_at_ms == (0, 1, 2)
