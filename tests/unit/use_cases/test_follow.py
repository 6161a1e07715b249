import json
from collections.abc import Callable
from typing import Any

import pytest

from odim_relay.domain.stream_filter import EVERY_EVENT, StreamFilter
from odim_relay.ports import NewEvent
from odim_relay.use_cases.follow import PAGE, Follow
from tests.fakes.journal import InMemoryJournal
from tests.fakes.ledger_state import LedgerState
from tests.unit.use_cases.conftest import Logs

Make = Callable[..., Follow]


def record(message_id: str) -> dict[str, Any]:
    return {"EventType": "Alert", "MessageId": message_id, "MemberId": "9"}


def event(*message_ids: str, number: int = 1) -> NewEvent:
    payload = {
        "@odata.type": "#Event.v1_13_0.Event",
        "Id": str(number),
        "Name": "n",
        "Events": [record(message_id) for message_id in message_ids],
    }
    return NewEvent(event_id=f"e{number}", payload=json.dumps(payload, indent=1).encode(), record="", recorded_at_ms=0)


@pytest.fixture
def journal() -> InMemoryJournal:
    state = LedgerState(now_ms=lambda: 1_000)
    journal = InMemoryJournal(state=state)
    state.settings = type(state.settings)(keeps_journal=True)
    journal.begin()
    return journal


@pytest.fixture
def follow(journal: InMemoryJournal) -> Make:
    def make(wants: StreamFilter = EVERY_EVENT, *, after: str = "") -> Follow:
        return Follow(
            journal=journal, wants=wants, subscription_id="s", context="mine", start=journal.end(), after=after
        )

    return make


def read(follow: Follow, *, is_late: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """
    The id and the payload of each message.
    """
    found = []
    for message in follow.read(is_late=is_late)[0]:
        lines = message.decode().splitlines()
        entry_id = next((line.removeprefix("id: ") for line in lines if line.startswith("id: ")), "")
        data = "\n".join(line.removeprefix("data: ") for line in lines if line.startswith("data: "))
        found.append((entry_id, json.loads(data)))
    return found


def ids(messages: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [payload["Id"] for _, payload in messages]


def is_loss(payload: dict[str, Any]) -> bool:
    return bool(payload["Events"][0]["MessageId"] == "Base.1.22.EventBufferExceeded")


def test_a_stream_has_what_comes_after_it_was_opened_in_order(journal: InMemoryJournal, follow: Make) -> None:
    journal.keep(event("A.1.0.X", number=1))
    stream = follow()
    journal.keep(event("A.1.0.X", number=2))
    journal.keep(event("A.1.0.X", number=3))

    messages = read(stream)

    assert ids(messages) == ["2", "3"]
    assert [entry_id for entry_id, _ in messages] == [entry.entry_id for entry in journal.entries[1:]]
    assert read(stream) == []


def test_only_the_records_that_are_wanted_come_numbered_anew_with_the_streams_context(
    journal: InMemoryJournal, follow: Make
) -> None:
    stream = follow(StreamFilter.of("RegistryPrefix eq B"))
    journal.keep(event("A.1.0.X", "B.1.0.Y", "B.1.0.Z"))
    journal.keep(event("A.1.0.X", number=2))

    ((_, payload),) = read(stream)

    assert payload["Context"] == "mine"
    assert [(one["MessageId"], one["MemberId"]) for one in payload["Events"]] == [("B.1.0.Y", "0"), ("B.1.0.Z", "1")]


def test_what_event_requires_and_the_source_left_out_is_added(journal: InMemoryJournal, follow: Make) -> None:
    stream = follow()
    journal.keep(NewEvent(event_id="e", payload=b'{"Events":[{"Message":"m"}]}', record="", recorded_at_ms=0))

    ((_, payload),) = read(stream)

    assert payload["Id"] == "e"
    assert {"EventType", "MessageId", "MemberId"} <= payload["Events"][0].keys()


def test_a_client_that_comes_back_has_what_it_missed(journal: InMemoryJournal, follow: Make) -> None:
    for number in (1, 2, 3):
        journal.keep(event("A.1.0.X", number=number))

    assert ids(read(follow(after=journal.entries[0].entry_id))) == ["2", "3"]


def test_what_left_the_journal_is_told_once_before_what_is_left(
    journal: InMemoryJournal, follow: Make, logs: Logs
) -> None:
    journal.keep(event("A.1.0.X", number=1))
    seen = journal.entries[0].entry_id
    journal.most_bytes = 300
    for number in (2, 3, 4):
        journal.keep(event("A.1.0.X", number=number))
    stream = follow(after=seen)

    messages = read(stream)

    assert is_loss(messages[0][1])
    assert (messages[0][0], messages[0][1]["Context"]) == (seen, "mine")
    assert ids(messages[1:]) == [json.loads(entry.payload)["Id"] for entry in journal.entries]
    assert read(stream, is_late=True) == []
    assert [line["event"] for line in logs] == ["stream.gap"]


def test_a_gap_behind_which_nothing_is_left_is_told_once(journal: InMemoryJournal, follow: Make) -> None:
    journal.keep(event("A.1.0.X"))
    seen = journal.entries[0].entry_id
    journal.keep(event("A.1.0.X", number=2))
    journal.clear()
    stream = follow(after=seen)

    assert [is_loss(payload) for _, payload in read(stream, is_late=True)] == [True]
    assert read(stream, is_late=True) == []


def test_an_id_that_the_store_has_lost_again_is_followed_from_now_on(journal: InMemoryJournal, follow: Make) -> None:
    stream = follow(after="999999999-0")

    assert [is_loss(payload) for _, payload in read(stream)] == [True]

    journal.keep(event("A.1.0.X", number=2))
    assert ids(read(stream, is_late=True)) == ["2"]


def test_a_client_that_reads_slowly_is_told_what_left_meanwhile(journal: InMemoryJournal, follow: Make) -> None:
    stream = follow()
    journal.keep(event("A.1.0.X", number=1))
    assert ids(read(stream)) == ["1"]
    journal.most_bytes = 300
    for number in (2, 3, 4):
        journal.keep(event("A.1.0.X", number=number))

    messages = read(stream, is_late=True)

    assert is_loss(messages[0][1])
    assert ids(messages[1:]) == [json.loads(entry.payload)["Id"] for entry in journal.entries]


def test_a_stream_that_is_behind_reads_on_at_once_and_looks_whether_anything_left(
    journal: InMemoryJournal, follow: Make
) -> None:
    stream = follow()
    for number in range(PAGE + 2):
        journal.keep(event("A.1.0.X", number=number))

    first, is_behind = stream.read(is_late=False)
    assert (len(first), is_behind) == (PAGE, True)
    journal.clear()
    rest, is_behind = stream.read(is_late=False)

    assert not is_behind
    assert [b"EventBufferExceeded" in message for message in rest] == [True]


def test_an_event_larger_than_a_payload_may_be_comes_in_parts_with_its_id_at_the_last(
    journal: InMemoryJournal, follow: Make
) -> None:
    journal.most_bytes = 10_000_000
    stream = follow()
    large = {"Events": [record("A.1.0.X") | {"Message": "m" * 700_000} for _ in range(2)]}
    journal.keep(NewEvent(event_id="e", payload=json.dumps(large).encode(), record="", recorded_at_ms=0))

    messages = read(stream)

    assert [entry_id for entry_id, _ in messages] == ["", journal.entries[0].entry_id]
    assert [len(payload["Events"]) for _, payload in messages] == [1, 1]
