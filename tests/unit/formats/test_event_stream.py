import json

import pytest

from odim_relay.formats.announcements import submitted_event
from odim_relay.formats.event_stream import stream_message


def test_a_message_is_its_id_and_its_data_and_a_blank_line() -> None:
    assert stream_message(b'{"a":1}', "5-0") == b'id: 5-0\ndata: {"a":1}\n\n'
    assert stream_message(b"{}") == b"data: {}\n\n"


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\r"])
def test_no_line_of_the_data_stands_without_its_name(line_break: bytes) -> None:
    assert stream_message(b"{" + line_break + b"}", "1-1") == b"id: 1-1\ndata: {\ndata: }\n\n"


def test_a_submitted_event_holds_what_was_given_and_an_id() -> None:
    event = json.loads(submitted_event("7", {"MessageId": "A.1.0.B", "Message": "ü"}))
    assert event["Events"] == [{"MemberId": "0", "EventId": "7", "MessageId": "A.1.0.B", "Message": "ü"}]
    assert json.loads(submitted_event("7", {"EventId": "mine"}))["Events"][0]["EventId"] == "mine"
