"""
`odim-relay deliveries`.
"""

import base64

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.output import instant, json_option, print_fields, print_json, quiet_logs
from odim_relay.ports import DeliveryRecord


@click.group()
def deliveries() -> None:
    """
    Events on their way to a subscription.
    """
    quiet_logs()


@deliveries.command()
@click.argument("delivery_id", metavar="ID")
@json_option
def show(delivery_id: str, *, as_json: bool) -> None:
    """
    Show one: state, attempts, next attempt, how the last one ended. ID is what subscribers get as webhook-id.
    """
    record = bootstrap.delivery_listing().delivery(delivery_id)
    if record is None:
        raise FailedCommand(
            f"delivery {delivery_id} is not in the ledger: it was delivered, left by a counted rule, or never was"
        )
    print_delivery(record, None, as_json=as_json)


def to_json(record: DeliveryRecord) -> dict[str, object]:
    """
    The delivery for programs.
    """
    return {
        "id": record.delivery_id,
        "subscription": record.subscription_id,
        "event": record.event_id,
        "state": str(record.state),
        "reason": None if record.reason is None else str(record.reason),
        "attempts": record.attempts,
        "next_attempt_at": instant(record.due_at_ms),
        "parked_at": instant(record.parked_at_ms),
        "record": record.record,
        "recorded_at": instant(record.recorded_at_ms),
        "last": dict(record.last) or None,
    }


def print_delivery(record: DeliveryRecord, payload: bytes | None, *, as_json: bool) -> None:
    """
    Print one delivery, and its event's payload where that is given: as text if it is UTF-8, else in base64.
    """
    document = to_json(record)
    if payload is not None:
        document |= as_text("payload", payload)
    if as_json:
        print_json(document)
        return
    last = document.pop("last")
    if isinstance(last, dict):
        document |= {f"last {name}": value for name, value in last.items()}
    print_fields((name.replace("_", " "), value) for name, value in document.items() if value is not None)


def as_text(name: str, value: bytes) -> dict[str, object]:
    """
    Bytes as a member of a JSON object: `name` for text, `name_base64` for what is none.
    """
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}
