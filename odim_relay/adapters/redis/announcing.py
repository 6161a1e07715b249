"""
Events of our own, into Redis.
"""

from collections.abc import Sequence

from odim_relay.adapters.redis.connection import Scripts, text
from odim_relay.adapters.redis.ingest_ledger import arguments_of
from odim_relay.adapters.redis.replies import tickets_of
from odim_relay.domain.notices import SPELL_S
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, NewDelivery, NewEvent, Telling, TellRefusal

_NO_POSITION = ("",) * 7
_NO_ENTRY = ""
_WRITTEN = "written"
_NO_COUNTS = (0,) * 4


class RedisAnnouncingLedger:
    """
    `AnnouncingLedger` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def announce(self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int) -> Aftermath | None:
        """
        See `AnnouncingLedger.announce`.
        """
        status, aftermath = self._write(_NO_POSITION, event, deliveries, generation)
        return aftermath if status == _WRITTEN else None

    def tell(
        self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int, telling: Telling
    ) -> Aftermath | TellRefusal:
        """
        See `AnnouncingLedger.tell`.
        """
        change = telling.change
        along = " ".join(map(str, telling.along))
        instead = ("", change.number, change.after, telling.reached, along, change.topic, round(SPELL_S * 1000))
        status, aftermath = self._write(instead, event, deliveries, generation)
        return aftermath if status == _WRITTEN else TellRefusal(status)

    def _write(
        self,
        position: tuple[str | int, ...],
        event: NewEvent,
        deliveries: Sequence[NewDelivery],
        generation: int,
    ) -> tuple[str, Aftermath]:
        content = arguments_of([event], deliveries)
        status, *rest = self._scripts.run("ingest", *position, generation, _NO_ENTRY, *_NO_COUNTS, *content)
        if status == b"full":
            raise TransientError("the ledger is full: more memory for LEDGER__MAX_BYTES, or fewer dead letters")
        return text(status), Aftermath(tickets=tickets_of(rest[0] if rest else ()))
