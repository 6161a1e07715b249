"""
One open stream: reads the journal in a thread, and gives what is to be sent.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from functools import partial
from types import TracebackType
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from odim_relay.errors import TransientError
from odim_relay.formats.event_stream import sign_of_life
from odim_relay.ports import SubscriptionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.event_service import EventService
from odim_relay.use_cases.follow import Follow
from odim_relay.use_cases.streams import Streams

log = logger(__name__)

T = TypeVar("T")

_LOOKS_EVERY_S = 0.2
_LATE_S = 1.0
_ALIVE_EVERY_S = 15.0
_CLOSES_WITHIN_S = 5.0
_THREADS = 8


class EventStream(AsyncGenerator[bytes, None]):
    """
    Chunks for one client. Ends when its subscription is deleted, the service is disabled, or it is closed, which
    deletes the subscription. While the stores are away it stays open, and goes on from where it was.

    A client that takes its time is waited for: its stream is kept meanwhile.
    """

    def __init__(
        self,
        follow: Follow,
        subscription_id: str,
        *,
        streams: Streams,
        service: EventService,
        store: SubscriptionStore,
        when_closed: Callable[[], object],
        keeps_every_s: float = 10.0,
        checks_every_s: float = 1.0,
    ) -> None:
        """
        Args:
            follow: is this object's alone.
            when_closed: called once.
            keeps_every_s: how often is told that it is open.
            checks_every_s: how often is looked whether it is to end.
        """
        self._follow = follow
        self._id = subscription_id
        self._streams = streams
        self._service = service
        self._store = store
        self._when_closed = when_closed
        self._keeps_every_s = keeps_every_s
        self._checks_every_s = checks_every_s
        self._is_over = False
        self._is_closed = False
        self._keeper: asyncio.Task[None] | None = None
        # At once, so that the client knows that it is open, and from where to go on if it ends before the first event.
        self._ready: deque[bytes] = deque([sign_of_life(follow.position)])
        self._read_at = self._sent_at = time.monotonic()

    async def asend(self, value: None) -> bytes:  # noqa: ARG002 - of the protocol
        """
        Wait for the next chunk.
        """
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
        while not self._ready:
            if self._is_over:
                raise StopAsyncIteration
            is_behind = await _in_thread(self._read)
            if not self._ready and not is_behind:
                await anyio.sleep(_LOOKS_EVERY_S)
        self._sent_at = time.monotonic()
        return self._ready.popleft()

    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> bytes:
        """
        Close it, and let the exception through.
        """
        await self.aclose()
        raise typ if isinstance(typ, BaseException) or not isinstance(val, BaseException) else val.with_traceback(tb)

    async def aclose(self) -> None:
        """
        Delete the subscription; repeating it is harmless.
        """
        if self._is_closed:
            return
        self._is_closed = self._is_over = True
        self._when_closed()
        if self._keeper is not None:
            self._keeper.cancel()
        with anyio.move_on_after(_CLOSES_WITHIN_S, shield=True):
            await _in_thread(self._close)

    def _close(self) -> None:
        try:
            self._streams.close(self._id)
        except TransientError as exc:
            # It is deleted when its lease is over.
            log.warning("stream.not_closed", subscription_id=self._id, detail=str(exc))

    async def _keep(self) -> None:
        """
        Tell that it is open, and notice when it is to end; whatever its client does.
        """
        kept_at = time.monotonic()
        while not self._is_over:
            await anyio.sleep(self._checks_every_s)
            is_due = time.monotonic() - kept_at >= self._keeps_every_s
            try:
                self._is_over |= not await _in_thread(partial(self._is_wanted, is_to_be_kept=is_due))
            except TransientError as exc:
                log.warning("stream.waits", subscription_id=self._id, detail=str(exc))
                continue
            if is_due:
                kept_at = time.monotonic()

    def _is_wanted(self, *, is_to_be_kept: bool) -> bool:
        if is_to_be_kept and not self._streams.keep(self._id):
            return False
        return self._store.get(self._id) is not None and self._service.read().is_enabled

    def _read(self) -> bool:
        """
        Read what has come. Returns whether more is there already.
        """
        now = time.monotonic()
        is_behind = False
        try:
            found, is_behind = self._follow.read(is_late=now - self._read_at > _LATE_S)
            self._ready.extend(found)
        except TransientError as exc:
            log.warning("stream.waits", subscription_id=self._id, detail=str(exc))
        self._read_at = now
        if not self._ready and now - self._sent_at >= _ALIVE_EVERY_S:
            self._ready.append(sign_of_life(self._follow.position))
        return is_behind


_limiter: RunVar[anyio.CapacityLimiter] = RunVar("threads of event streams")


async def _in_thread(work: Callable[[], T]) -> T:
    """
    Call what may wait, in one of a few threads that all streams share and no other request needs.
    """
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_THREADS)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=limiter)
