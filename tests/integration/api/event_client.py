"""
Hands on the EventService in a test.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.redfish_client import STREAM, SUBMIT_TEST_EVENT

WISH: Mapping[str, Any] = {"Destination": "https://192.0.2.1/hook", "Protocol": "Redfish"}
MESSAGE_ID = "ResourceEvent.1.4.TestMessage"


@dataclass(frozen=True, slots=True)
class Arrived:
    """
    One message of a stream; `event` is None for a comment.
    """

    entry_id: str
    event: dict[str, Any] | None


class StreamReader:
    """
    Reads a stream of events.

    Attributes:
        opened_at: the id that came when it was opened.
    """

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.opened_at = ""
        self._lines = answer.iter_lines()

    def next(self) -> Arrived | None:
        """
        The next message, comments among them; None at the end.
        """
        lines: list[str] = []
        for line in self._lines:
            if line:
                lines.append(line)
            elif lines:
                return _message(lines)
        return None

    def next_event(self) -> Arrived | None:
        """
        The next message that is no comment; None at the end.
        """
        while (found := self.next()) is not None and found.event is None:
            pass
        return found


@contextmanager
def stream(client: httpx.Client, wants: str = "", *, after: str = "") -> Iterator[StreamReader]:
    """
    An open stream, whose first comment has come.
    """
    params = {"$filter": wants} if wants else {}
    headers = {"Last-Event-ID": after} if after else {}
    with client.stream("GET", STREAM, params=params, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        reader = StreamReader(answer)
        first = reader.next()
        assert first is not None
        assert first.event is None
        reader.opened_at = first.entry_id
        yield reader


def submit(client: httpx.Client, message_id: str = MESSAGE_ID, **parameters: Any) -> None:
    """
    Submit a test event.
    """
    answer = client.post(SUBMIT_TEST_EVENT, json={"MessageId": message_id, **parameters})
    assert (answer.status_code, answer.content) == (204, b""), answer.text


def _message(lines: list[str]) -> Arrived:
    ids = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return Arrived(ids[0] if ids else "", json.loads("\n".join(data)) if data else None)
