"""
Events that somebody submits through the API.
"""

import json
from collections.abc import Mapping
from typing import Any


def submitted_event(event_id: str, record: Mapping[str, Any]) -> bytes:
    """
    An Event with one record, as it was given. What Event requires beside, deliveries add: a record without an EventType
    passes filters that one with a made-up one would not.

    Args:
        event_id: of the Event, and of the record when that has none.
    """
    document = {
        "@odata.type": "#Event.v1_13_0.Event",
        "Id": event_id,
        "Name": "Test event",
        "Events": [{"MemberId": "0", "EventId": event_id, **record}],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
