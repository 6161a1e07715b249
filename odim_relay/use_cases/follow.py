"""
Following the journal for one stream: its client's events, from where it was.
"""

from collections.abc import Iterator

from odim_relay.domain.event import Event, EventFormat, Shape
from odim_relay.domain.stream_filter import StreamFilter
from odim_relay.formats import Ignored, Undecodable
from odim_relay.formats.event_stream import stream_message
from odim_relay.formats.notices import buffer_exceeded
from odim_relay.formats.redfish import decode
from odim_relay.formats.shaping import shape_body
from odim_relay.formats.splitting import parts_of
from odim_relay.ports import Journal, JournalEntry
from odim_relay.telemetry import logger

log = logger(__name__)

PAGE = 100


class Follow:
    """
    Reads the journal at its client's own pace. For one thread at a time.
    """

    def __init__(
        self, *, journal: Journal, wants: StreamFilter, subscription_id: str, context: str, start: str, after: str = ""
    ) -> None:
        """
        Args:
            context: stands at the root of every payload.
            start: everything that comes after this entry was taken in since the stream was opened.
            after: the last entry that the client has seen, as it says; empty for a client that is new.
        """
        self._journal = journal
        self._wants = wants
        self._subscription_id = subscription_id
        self._context = context
        self._start = start
        self._position = after or start
        self._is_checked = not after
        self._told_at = ""

    @property
    def position(self) -> str:
        """
        The entry up to which everything was read.
        """
        return self._position

    def read(self, *, is_late: bool) -> tuple[list[bytes], bool]:
        """
        Read on: the messages of the next entries, and whether there may be more at once.

        What left the journal before it was read is told, as an Event with Base's EventBufferExceeded.

        Args:
            is_late: some time went by since the last call, in which entries may have left.

        Raises:
            TransientError: the store cannot be reached; the next call goes on from the same place.
        """
        found: list[bytes] = []
        if is_late or not self._is_checked:
            found += self._tell_of_gap()
        entries = self._journal.read(self._position, PAGE)
        for entry in entries:
            found += self._messages(entry)
            self._position = entry.entry_id
        # Behind: what is read next may be gone by then.
        is_behind = len(entries) == PAGE
        self._is_checked = not is_behind
        return found, is_behind

    def _tell_of_gap(self) -> Iterator[bytes]:
        position = self._position
        if position == self._told_at or self._journal.has_all_after(position):
            return
        self._told_at = position
        if not _is_before(position, self._journal.end()):
            # It never was, or the store lost it with its last writes: what comes now has come since.
            self._position = self._start
        log.warning("stream.gap", subscription_id=self._subscription_id, after=position)
        notice = buffer_exceeded(self._context, identity=f"{self._subscription_id}/{position}")
        yield stream_message(notice.body, position)

    def _messages(self, entry: JournalEntry) -> Iterator[bytes]:
        decoded = decode(entry.payload)
        if isinstance(decoded, Undecodable | Ignored):
            return  # it was understood when it was taken in
        for event in decoded:
            numbers = self._wants.wanted(event)
            if numbers is None:
                continue
            bodies = [
                shape_body(event.payload, part, event_id=entry.event_id) for part in self._parts(event, numbers, entry)
            ]
            for body in bodies[:-1]:
                yield stream_message(body)
            # With the last part alone: who has not got it gets all parts again.
            yield stream_message(bodies[-1], entry.entry_id)

    def _parts(self, event: Event, numbers: tuple[int, ...], entry: JournalEntry) -> tuple[Shape, ...]:
        is_whole = event.format is EventFormat.METRIC_REPORT or len(numbers) == len(event.records)
        shape = Shape(records=None if is_whole else numbers, context=self._context, is_completed=not event.is_complete)
        return parts_of(event, shape, event_id=entry.event_id)


def _is_before(entry_id: str, other: str) -> bool:
    return _order(entry_id) <= _order(other)


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)
