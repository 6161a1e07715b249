import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.event import WHOLE, Shape
from odim_relay.formats.batching import Member, compose
from odim_relay.formats.splitting import MOST_BYTES

ROOT = {"@odata.type": "#Event.v1_13_0.Event", "Id": "1", "Name": "Event"}


def event(*records: dict[str, Any], **root: Any) -> bytes:
    return json.dumps({**ROOT, **root, "Events": records}, ensure_ascii=False).encode()


def member(name: str, payload: bytes, shape: Shape = WHOLE) -> Member:
    return Member(event_id=name, payload=payload, shape=shape)


def read(body: bytes) -> Any:
    return json.loads(body)


FIRST = member("first", event({"MemberId": "7", "EventId": "own", "MessageId": "A.1.0.B"}))
SECOND = member("second", event({"MessageId": "C"}, {"MessageId": "D", "MemberId": "1"}, Id="2", Name="Another"))


def test_the_records_of_the_others_follow_and_the_root_is_the_first_ones() -> None:
    batch = compose([FIRST, SECOND])

    assert batch.taken == (0, 1)
    assert read(batch.body) == {
        **ROOT,
        "Events": [
            {"MemberId": "0", "EventId": "own", "MessageId": "A.1.0.B"},
            {"MemberId": "1", "EventId": "second", "MessageId": "C"},
            {"MemberId": "2", "EventId": "second", "MessageId": "D"},
        ],
    }


def test_each_record_keeps_its_bytes() -> None:
    odd = '{ "Oem":{"x" : 1.50e+1,"\\u0061":"\\u00e9 \\" \\\\"},\n"EventId":"e", "MemberId" : "9","Oem" :1 }'
    payload = f'{{"Events" : [ {odd} ], "Id":"1"}}'.encode()

    body = compose([FIRST, member("m", payload)]).body.decode()

    assert odd.replace('"9"', '"1"') in body


def test_alone_an_event_gets_its_identity_and_nothing_else() -> None:
    payload = b'{"Events": [ { "MemberId": "4" },{"EventId":"kept"} ], "Events@odata.count": 2}'

    batch = compose([member("e", payload)])

    assert batch.body == payload.replace(b'{ "Mem', b'{"EventId":"e", "Mem')
    assert compose([member("e", payload), member("n", b'{"MetricValues":[]}')]) == batch


@pytest.mark.parametrize("absent", ["", None])
def test_an_identity_that_says_nothing_is_none(absent: str | None) -> None:
    assert read(compose([member("e", event({"EventId": absent}))]).body)["Events"] == [{"EventId": "e"}]


def test_a_count_of_events_is_kept_right_where_there_is_one() -> None:
    counted = member("c", event({}, **{"Events@odata.count": 1}))

    assert read(compose([counted, SECOND]).body)["Events@odata.count"] == 3
    assert "Events@odata.count" not in read(compose([FIRST, counted]).body)


def test_what_did_not_match_stays_out() -> None:
    second = member("second", SECOND.payload, Shape(records=(1,)))

    assert [record["MessageId"] for record in read(compose([FIRST, second]).body)["Events"]] == ["A.1.0.B", "D"]


def test_the_subscriptions_context_stands_at_the_root() -> None:
    mine = Shape(context="mine")

    body = read(compose([member("a", event({})), member("b", event({}))]).body)
    assert "Context" not in body
    body = read(compose([member("a", event({}), mine), member("b", event({}), mine)]).body)
    assert body["Context"] == "mine"


REPORT = member("r", b'{"MetricValues": [], "Id": "1"}')
EMPTY = member("empty", event())
OTHERS_CONTEXT = member("o", event({}), Shape(context="other"))


@pytest.mark.parametrize("unfit", [REPORT, EMPTY, OTHERS_CONTEXT])
def test_what_cannot_be_appended_is_left_out_and_in_order_all_behind_it(unfit: Member) -> None:
    assert compose([FIRST, unfit, SECOND]).taken == (0, 2)
    assert compose([FIRST, unfit, SECOND], is_ordered=True).taken == (0,)


@pytest.mark.parametrize("alone", [REPORT, EMPTY])
def test_what_has_no_records_takes_nobody(alone: Member) -> None:
    batch = compose([alone, SECOND])

    assert (batch.body, batch.taken) == (alone.payload, (0,))


def test_a_body_is_never_larger_than_a_mebibyte_and_as_full_as_it_can_be() -> None:
    large = [member(f"{number}", event({"Message": "\u00e9" * 150_000})) for number in range(5)]
    small = member("small", event({"Message": "x"}))

    batch = compose([*large, small])

    assert batch.taken == (0, 1, 2, 5)
    assert 900_000 < len(batch.body) <= MOST_BYTES
    assert compose([*large, small], is_ordered=True).taken == (0, 1, 2)


def test_up_to_the_last_byte() -> None:
    empty = len(compose([FIRST, member("e", event({"Message": ""}))]).body)
    fits = member("e", event({"Message": "x" * (MOST_BYTES - 8 - empty)}))
    is_too_large = member("e", event({"Message": "x" * (MOST_BYTES - 7 - empty)}))

    assert compose([FIRST, fits]).taken == (0, 1)
    assert compose([FIRST, is_too_large]).taken == (0,)


@given(counts=st.lists(st.integers(0, 3), min_size=1, max_size=5), limit=st.booleans())
def test_every_record_of_what_is_taken_is_there_once_in_order(counts: list[int], limit: bool) -> None:
    members = [
        member(f"e{at}", event(*({"Message": f"{at}/{number}"} for number in range(count))))
        for at, count in enumerate(counts)
    ]

    batch = compose(members, is_ordered=limit)

    assert compose(members, is_ordered=limit) == batch
    records = read(batch.body)["Events"]
    assert [record["Message"] for record in records] == [
        f"{at}/{number}" for at in batch.taken for number in range(counts[at])
    ]
    assert [record["EventId"] for record in records] == [f"e{at}" for at in batch.taken for _ in range(counts[at])]
    if len(batch.taken) > 1:
        assert [record["MemberId"] for record in records] == [str(number) for number in range(len(records))]
