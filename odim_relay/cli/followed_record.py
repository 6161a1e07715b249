"""
`odim-relay deliveries of`.
"""

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.output import instant, json_option, moment, print_json, print_table
from odim_relay.ports import TopicPartition
from odim_relay.use_cases.follow_record import Followed

_MOST_ROWS = 100


class RecordType(click.ParamType):  # type: ignore[type-arg] # generic in newer versions of click only
    """
    `topic/partition/offset`, as listings show records.
    """

    name = "record"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[TopicPartition, int]:
        """
        Read it.
        """
        topic, _, rest = value.partition("/")
        partition, _, offset = rest.partition("/")
        if not topic or not partition.isdecimal() or not offset.isdecimal():
            self.fail(
                f"{value!r} is no record: TOPIC/PARTITION/OFFSET, as `odim-relay dead-letters show` tells", param, ctx
            )
        return TopicPartition(topic=topic, partition=int(partition)), int(offset)


@click.command("of")
@click.argument("record", metavar="TOPIC/PARTITION/OFFSET", type=RecordType())
@click.option("--subscription", "subscription_ids", metavar="ID", multiple=True, help="Of this one alone.")
@json_option
def of(record: tuple[TopicPartition, int], *, subscription_ids: tuple[str, ...], as_json: bool) -> None:
    """
    Follow a Kafka record: what became of it for each subscription, as far as that is still to be seen.

    What is neither in the ledger nor among the last attempts was delivered, was not wanted, or left by a counted rule;
    the subscriber's own log tells by the webhook-id.
    """
    partition, offset = record
    follow = bootstrap.follow_record()
    if (entry_id := follow.quarantined(partition, offset)) is not None:
        raise FailedCommand(f"it was not understood: `odim-relay quarantine show {entry_id}`")
    rows = list(follow(partition, offset, subscription_ids or bootstrap.subscription_store().ids()))
    if as_json:
        print_json([_to_json(row) for row in rows])
        return
    shown = [row for row in rows if row.is_known or subscription_ids]
    if shown:
        print_table(
            ("subscription", "id", "state", "last attempt", "how it ended"), [_cells(row) for row in shown[:_MOST_ROWS]]
        )
    left = len(rows) - len(shown[:_MOST_ROWS])
    if left:
        click.echo(f"Nothing to be seen for {left} others: delivered, not wanted, or left; --json has their ids")


def _cells(row: Followed) -> tuple[object, ...]:
    attempt = row.last_attempt
    ended = (
        "" if attempt is None else f"{attempt.status or attempt.failure}: {attempt.decision} {attempt.detail}".strip()
    )
    at = None if attempt is None else moment(attempt.ended_at_ms)
    return row.subscription_id, row.delivery_id, _state(row), at, ended


def _state(row: Followed) -> str:
    if row.record is None:
        return "not in the ledger"
    return f"{row.record.state}" + (f", {row.record.reason}" if row.record.reason else "")


def _to_json(row: Followed) -> dict[str, object]:
    record, attempt = row.record, row.last_attempt
    return {
        "subscription": row.subscription_id,
        "id": row.delivery_id,
        "state": None if record is None else str(record.state),
        "reason": None if record is None or record.reason is None else str(record.reason),
        "last_attempt": attempt
        and {
            "ended_at": instant(attempt.ended_at_ms),
            "status": attempt.status,
            "failure": attempt.failure or None,
            "detail": attempt.detail or None,
            "decision": attempt.decision,
        },
    }
