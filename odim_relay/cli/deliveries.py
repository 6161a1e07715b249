"""
`odim-relay deliveries`.
"""

import base64
from collections.abc import Sequence

import click

from odim_relay import bootstrap
from odim_relay.cli import standing
from odim_relay.cli.attempts import attempts_to_json, print_attempts
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.followed_record import of
from odim_relay.cli.output import instant, json_option, print_fields, print_json, quiet_logs
from odim_relay.domain.delivery import State
from odim_relay.ports import AttemptRecord, DeliveryRecord, Index

_INDEX_IN_WORDS = {
    Index.READY: "goes as soon as its turn comes",
    Index.DELAYED: "goes at the time of its next attempt, or when its destination recovers",
    Index.BY_HAND: "goes only by `odim-relay dead-letters replay`",
}


@click.group()
def deliveries() -> None:
    """
    Events on their way to a subscription.
    """
    quiet_logs()


deliveries.add_command(of)


@deliveries.command()
@click.argument("delivery_id", metavar="ID")
@json_option
def show(delivery_id: str, *, as_json: bool) -> None:
    """
    Show one: state, next attempt, its destination's breaker, and its last attempts: also of one that has left since it
    failed. ID is what subscribers get as webhook-id.
    """
    record = bootstrap.delivery_listing().delivery(delivery_id)
    history = bootstrap.attempt_listing().of_delivery(delivery_id)
    if record is not None:
        print_delivery(record, None, history, as_json=as_json)
    elif not history:
        raise FailedCommand(
            f"delivery {delivery_id} is not in the ledger: it was delivered, left by a counted rule, or never was"
        )
    elif as_json:
        print_json({"id": delivery_id, "state": str(State.GONE), "history": attempts_to_json(history)})
    else:
        print_fields({"id": delivery_id, "state": f"{State.GONE}: it is not in the ledger any more"}.items())
        print_attempts(history, of=delivery_id)


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
        "index": None if record.index is None else str(record.index),
        "next_attempt_at": instant(record.due_at_ms),
        "replay": record.is_replay,
        "times_exhausted": record.exhausted_count,
        "newer_version": record.is_newer,
        "parked_at": instant(record.parked_at_ms),
        "record": record.record,
        "recorded_at": instant(record.recorded_at_ms),
        "last": dict(record.last) or None,
    }


def print_delivery(
    record: DeliveryRecord, payload: bytes | None, history: Sequence[AttemptRecord], *, as_json: bool
) -> None:
    """
    Print one delivery with its last attempts, and its event's payload where that is given: as text if it is UTF-8, else
    in base64.
    """
    document = to_json(record)
    flow = bootstrap.flow_listing().subscriptions([record.subscription_id])[record.subscription_id]
    destination = bootstrap.flow_listing().destinations([flow.destination_id])[flow.destination_id]
    body = {} if payload is None else as_text("payload", payload)
    if as_json:
        standing_ = {
            "suspended": standing.suspension_to_json(flow),
            "breaker": standing.breaker_to_json(destination) if flow.exists else None,
        }
        print_json(document | standing_ | {"history": attempts_to_json(history)} | body)
        return
    last = document.pop("last")
    document["index"] = _INDEX_IN_WORDS.get(record.index) if record.index else None
    if isinstance(last, dict):
        document |= {f"last {name}": value for name, value in last.items()}
    if not flow.exists:
        document["subscription"] = f"{record.subscription_id} (deleted)"
    else:
        document["suspended"] = standing.suspension(flow)
        document["breaker"] = standing.breaker(destination, bootstrap.ledger_figures().now_ms())
    told = {name: value for name, value in document.items() if value or name == "attempts"}
    print_fields((name.replace("_", " "), value) for name, value in (told | body).items())
    print_attempts(history, of=record.delivery_id)


def as_text(name: str, value: bytes) -> dict[str, object]:
    """
    Bytes as a member of a JSON object: `name` for text, `name_base64` for what is none.
    """
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}
