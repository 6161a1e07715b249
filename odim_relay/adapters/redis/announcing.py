"""
Events of our own, into Redis.
"""

from collections.abc import Sequence

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.ingest_ledger import arguments_of
from odim_relay.adapters.redis.replies import tickets_of
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, NewDelivery, NewEvent

_NO_POSITION = ("",) * 7
_NO_ENTRY = ""
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
        content = arguments_of([event], deliveries)
        status, *rest = self._scripts.run("ingest", *_NO_POSITION, generation, _NO_ENTRY, *_NO_COUNTS, *content)
        if status == b"full":
            raise TransientError("the ledger is full: more memory for LEDGER__MAX_BYTES, or fewer dead letters")
        return Aftermath(tickets=tickets_of(rest[0])) if status == b"written" else None
