from collections.abc import Callable

import pytest

from odim_relay.errors import TransientError
from odim_relay.formats.documents import documents
from odim_relay.formats.wrapping import wrap_redfish
from odim_relay.use_cases.publish import Publish

THREE = documents(b'{"n":0}{"n":1}{"n":2}')


class Sink:
    """
    `RecordSink`: answers in `flush`, in reverse order; fails the values in `refused`.
    """

    def __init__(self, *, refused: frozenset[bytes] = frozenset(), is_up: bool = True) -> None:
        self.refused = refused
        self.is_up = is_up
        self.sent: list[tuple[str, bytes, bytes]] = []
        self._waiting: list[tuple[bytes, Callable[[str | None], None]]] = []

    def prepare(self, topic: str) -> None:
        if not self.is_up:
            raise TransientError(f"{topic} is away")

    def send(self, topic: str, *, key: bytes, value: bytes, told: Callable[[str | None], None]) -> None:
        self.sent.append((topic, key, value))
        self._waiting.append((value, told))

    def flush(self) -> None:
        while self._waiting:
            value, told = self._waiting.pop()
            told("too large" if value in self.refused else None)


def test_all_are_sent_in_order_under_the_key_of_their_source() -> None:
    sink = Sink()
    progress: list[str] = []
    published = Publish(sink=sink, topic="T", wrap=wrap_redfish)(
        THREE, "host", progressed=lambda: progress.append("one")
    )
    assert sink.sent == [("T", b"host", b'{"n":0}'), ("T", b"host", b'{"n":1}'), ("T", b"host", b'{"n":2}')]
    assert (published.count, published.failures) == (3, [])
    assert len(progress) == 3


def test_a_failure_is_told_by_its_place_and_does_not_stop_the_others() -> None:
    sink = Sink(refused=frozenset({b'{"n":0}', b'{"n":1}'}))
    published = Publish(sink=sink, topic="T", wrap=wrap_redfish)(THREE, "host")
    assert (published.count, published.failures) == (1, [(0, "too large"), (1, "too large")])


def test_nothing_is_sent_when_kafka_is_away() -> None:
    sink = Sink(is_up=False)
    with pytest.raises(TransientError):
        Publish(sink=sink, topic="T", wrap=wrap_redfish)(THREE, "host")
    assert sink.sent == []


def test_nothing_to_publish_asks_nobody() -> None:
    assert Publish(sink=Sink(is_up=False), topic="T", wrap=wrap_redfish)([], "host").count == 0
