"""
`odim-relay offsets`.
"""

import time
from contextlib import closing

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.instants import parse_instant
from odim_relay.cli.output import json_option, print_json, print_table, quiet_logs
from odim_relay.ports import TopicPartition
from odim_relay.use_cases.offsets import (
    AtOffset,
    AtTime,
    Earliest,
    Latest,
    Move,
    PartitionOffsets,
    Target,
    read_offsets,
)


class TargetType(click.ParamType):  # type: ignore[type-arg] # generic in newer versions of click only
    """
    Where to start.
    """

    name = "target"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        """
        `earliest`, `latest`, an offset, or an instant.
        """
        match value:
            case "earliest":
                return Earliest()
            case "latest":
                return Latest()
            case str() if value.isdecimal():
                return AtOffset(int(value))
        try:
            return AtTime(parse_instant(str(value), time.time()))
        except ValueError:
            self.fail(
                f"{value!r} is none of: earliest, latest, an offset, an instant (2026-03-01T12:00:00Z), "
                "how long ago (30min, 2h, 7d)",
                param,
                ctx,
            )


@click.group()
def offsets() -> None:
    """
    How far Kafka has been read.
    """
    quiet_logs()


@offsets.command()
@json_option
def show(*, as_json: bool) -> None:
    """
    Show it per partition, in the ledger (which counts) and as committed to Kafka.
    """
    with closing(bootstrap.kafka_source()) as source:
        rows = read_offsets(bootstrap.ingest_ledger(), source)
    if as_json:
        print_json([_to_json(row) for row in rows])
        return
    print_table(
        ("topic", "partition", "ledger", "committed", "first", "end", "committed by ledger"),
        [
            (
                row.partition.topic,
                row.partition.partition,
                row.ledger.offset if row.ledger else None,
                row.committed.offset if row.committed else None,
                row.first,
                row.end,
                row.committed.metadata if row.committed else None,
            )
            for row in rows
        ],
    )


@offsets.command()
@click.argument("target", type=TargetType(), metavar="earliest|latest|OFFSET|WHEN")
@click.option("--topic", metavar="T", help="Only this topic.")
@click.option("--partition", type=click.IntRange(min=0), metavar="P", help="Only this partition; needs --topic.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(target: Target, *, topic: str | None, partition: int | None, dry_run: bool, yes: bool) -> None:
    """
    Make bridges start elsewhere: at the earliest record, the latest, an offset, or an instant.

    For when bridges refuse to start because the ledger is gone, and for reading records again. All bridges must be
    stopped. What lies between the old start and a later one is never taken in.
    """
    if partition is not None and topic is None:
        raise click.UsageError("--partition needs --topic")

    def wants(one: TopicPartition) -> bool:
        return (topic is None or one.topic == topic) and (partition is None or one.partition == partition)

    with closing(bootstrap.kafka_source()) as source:
        resetting = bootstrap.reset_offsets(source)
        moves = resetting.plan(target, wants)
        _print_plan(moves)
        if dry_run:
            return
        resetting.refuse_if_active()
        if not yes:
            click.confirm("Reset?", abort=True)
        refusal = resetting.apply(moves)
    click.echo(f"{len(moves)} {'partition' if len(moves) == 1 else 'partitions'} reset")
    if refusal is not None:
        raise FailedCommand(f"bridges will still not start: {refusal}")


def _print_plan(moves: list[Move]) -> None:
    print_table(
        ("topic", "partition", "ledger now", "start at", "to be read"),
        [
            (
                move.stands.partition.topic,
                move.stands.partition.partition,
                move.stands.ledger.offset if move.stands.ledger else None,
                move.offset,
                move.stands.end - move.offset,
            )
            for move in moves
        ],
    )


def _to_json(row: PartitionOffsets) -> dict[str, object]:
    return {
        "topic": row.partition.topic,
        "partition": row.partition.partition,
        "ledger": None
        if row.ledger is None
        else {"offset": row.ledger.offset, "topic_epoch": row.ledger.topic_epoch, "cursor": row.ledger.cursor},
        "committed": None
        if row.committed is None
        else {"offset": row.committed.offset, "ledger_birth": row.committed.metadata},
        "first": row.first,
        "end": row.end,
    }
