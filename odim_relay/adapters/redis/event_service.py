"""
What the EventService says for all, in Redis.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.domain.event_service import EventServiceSettings

_VERSION = 1
_DEFAULTS = asdict(EventServiceSettings())


class RedisEventServiceStore:
    """
    `EventServiceStore` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def read(self) -> EventServiceSettings:
        """
        See `EventServiceStore.read`.
        """
        return decode_settings(self._document())

    def update(self, change: Callable[[EventServiceSettings], EventServiceSettings]) -> EventServiceSettings:
        """
        See `EventServiceStore.update`.
        """
        while True:
            stands = self._document()
            found = decode_settings(stands)
            changed = change(found)
            if changed == found or self._scripts.run("set_event_service", stands, encode_settings(changed)):
                return changed

    def _document(self) -> str:
        with translated("reading the EventService's settings"):
            document: Any = self._scripts.client.get(self._scripts.prefix + keys.EVENT_SERVICE)
        return text(document)


def encode_settings(settings: EventServiceSettings) -> str:
    """
    The document that Redis keeps, and that the scripts read: only what is not as by default, so that none is null.
    """
    members = {name: value for name, value in asdict(settings).items() if value != _DEFAULTS[name]}
    return json.dumps({"version": _VERSION, **members}, separators=(",", ":"))


def decode_settings(document: str) -> EventServiceSettings:
    """
    The reverse of `encode_settings`; all defaults for none. Members that a newer version wrote are passed over.
    """
    members = json.loads(document) if document else {}
    return EventServiceSettings(**{name: value for name, value in members.items() if name in _DEFAULTS})
