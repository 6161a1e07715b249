"""
Formats of Kafka records: bytes in, Events out. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from odim_relay.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """
    A record that is understood and is not for subscribers. `kind` is a short constant name, `plugin_start_up`.
    """

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """
    A record that cannot be understood; it goes to quarantine.

    Attributes:
        reason: a short constant name, `not_json`.
        detail: one line for a person: what was wrong, where. Holds no more than 200 characters of the record.
    """

    reason: str
    detail: str


Decoded: TypeAlias = tuple[Event, ...] | Ignored | Undecodable
Decoder: TypeAlias = Callable[[bytes], Decoded]
"""
Never raises for any bytes.
"""
