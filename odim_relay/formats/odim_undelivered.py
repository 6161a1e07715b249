"""
Events that ODIM could not deliver, as it keeps them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from odim_relay.domain.event import Event
from odim_relay.formats import Ignored, Undecodable
from odim_relay.formats.json_text import read_json
from odim_relay.formats.odim_rows import RowFlaw, read_undelivered_key, read_undelivered_value
from odim_relay.formats.redfish import decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """
    One such event.

    Attributes:
        destination: URL that it was to be sent to.
        odim_id: ODIM's own id of it.
        payload: what is to be sent, byte for byte.
        recorded_at_ms: when it came about, by its first record or report, milliseconds since the epoch; None where that
            does not say.
    """

    destination: str
    odim_id: str
    payload: bytes
    recorded_at_ms: int | None


def read_undelivered(key: str, value: bytes) -> Undelivered | RowFlaw:
    """
    Read one; never raises.

    Returns:
        the event; else a flaw: `not_an_undelivered_key`, or why its value is no Event and no MetricReport.
    """
    named = read_undelivered_key(key)
    if isinstance(named, RowFlaw):
        return named
    destination, odim_id = named
    payload = read_undelivered_value(value)
    decoded = decode(payload)
    if isinstance(decoded, Undecodable | Ignored):
        reason, detail = (decoded.reason, decoded.detail) if isinstance(decoded, Undecodable) else (decoded.kind, "")
        return RowFlaw(reason=reason, detail=f"{odim_id}: {detail}")
    (event,) = decoded
    return Undelivered(destination=destination, odim_id=odim_id, payload=payload, recorded_at_ms=_recorded_at_ms(event))


def _recorded_at_ms(event: Event) -> int | None:
    document = read_json(event.payload)
    told = document["Events"][0].get("EventTimestamp") if event.records else document.get("Timestamp")
    try:
        instant = datetime.fromisoformat(told)
        at_ms = round((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        return None
    return at_ms if at_ms > 0 else None
