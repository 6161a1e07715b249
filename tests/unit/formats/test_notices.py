import json
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.event import EventFormat
from odim_relay.formats.notices import buffer_exceeded
from odim_relay.formats.redfish import decode
from tests.support.json_values import TEXTS


def test_it_is_a_redfish_event_that_we_understand_ourselves() -> None:
    notice = buffer_exceeded("mine", identity="one")

    decoded = decode(notice.body)

    assert isinstance(decoded, tuple)
    (event,) = decoded
    (record,) = event.records
    assert event.format is EventFormat.EVENT
    assert (record.registry, record.severity, record.event_type) == ("Base", "Warning", "Other")
    assert record.message_id == "Base.EventBufferExceeded"


@given(context=TEXTS, identity=st.text())
def test_it_carries_the_subscriptions_context_and_the_same_id_for_the_same_occasion(
    context: str, identity: str
) -> None:
    notice = buffer_exceeded(context, identity=identity)

    event = json.loads(notice.body)
    assert event["Context"] == context
    assert event["Id"] == event["Events"][0]["EventId"] == notice.event_id == str(UUID(notice.event_id))
    assert buffer_exceeded(context, identity=identity) == notice


def test_without_a_context_it_has_none() -> None:
    assert "Context" not in json.loads(buffer_exceeded(None, identity="one").body)


@pytest.mark.parametrize("other", ["delivery/4", "other/3", ""])
def test_another_occasion_has_another_id(other: str) -> None:
    assert buffer_exceeded(None, identity="delivery/3").event_id != buffer_exceeded(None, identity=other).event_id


def test_its_body_is_ascii_on_one_line() -> None:
    body = buffer_exceeded("ü\n", identity="one").body

    assert re.fullmatch(rb"[ -~]+", body)
