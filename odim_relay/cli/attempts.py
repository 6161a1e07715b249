"""
The last attempts, in a table and for programs.
"""

from collections.abc import Sequence

import click

from odim_relay.cli.output import instant, moment, print_table
from odim_relay.ports import AttemptRecord


def attempts_to_json(records: Sequence[AttemptRecord]) -> list[dict[str, object]]:
    """
    Attempts for programs, in their order.
    """
    return [
        {
            "at": instant(record.ended_at_ms),
            "delivery": record.delivery_id,
            "attempt": record.attempt,
            "status": record.status,
            "failure": record.failure or None,
            "detail": record.detail,
            "duration_ms": record.duration_ms,
            "destination": record.destination,
            "address": record.address or None,
            "decision": record.decision,
            "events": record.event_count,
        }
        for record in records
    ]


def print_attempts(records: Sequence[AttemptRecord], *, of: str = "") -> None:
    """
    Print attempts below what they are of, in their order; nothing for none.

    Args:
        of: the delivery whose attempts they are, if they are of one: it is not named in each line.
    """
    if not records:
        return
    click.echo()
    print_table(
        ("attempted at (UTC)", "attempt", *(() if of else ("id",)), "answer", "took", "address", "became", "detail"),
        [
            (
                moment(record.ended_at_ms),
                record.attempt,
                *(() if of else (record.delivery_id,)),
                record.status or record.failure,
                f"{record.duration_ms} ms",
                record.address,
                record.decision,
                _detail(record, of),
            )
            for record in records
        ],
    )


def _detail(record: AttemptRecord, of: str) -> str:
    notes = [record.detail] if record.detail else []
    if record.event_count > 1:
        notes.append(f"{record.event_count} events in one request")
    if of and record.delivery_id != of:
        notes.append(f"went with {record.delivery_id}")
    return "; ".join(notes)
