"""
`odim-relay doctor`.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import FAILED
from odim_relay.cli.output import json_option, print_json, quiet_logs
from odim_relay.errors import ConfigurationError, TransientError
from odim_relay.use_cases.doctor import (
    Finding,
    LedgerFacts,
    examine_ledger,
    examine_odim,
    examine_redis,
    examine_secrets,
    examine_topics,
)


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """
    Examine the stores and their configuration; say what is wrong and how to mend it. Exits with 1 if anything is.
    """
    quiet_logs()
    findings = [*_redis(), *_secrets(), *_broker(), *_kafka(), *_odim()]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    if any(finding.is_wrong for finding in findings):
        ctx.exit(FAILED)


def _redis() -> list[Finding]:
    return _reached("redis", "REDIS__URL", lambda: examine_redis(bootstrap.redis_facts()))


def _secrets() -> list[Finding]:
    try:
        states = list(bootstrap.rotate_secrets().states())
    except (ConfigurationError, TransientError):
        return []  # that Redis cannot be used is told already
    return examine_secrets(states, can_seal=bootstrap.sealer().can_seal)


def _broker() -> list[Finding]:
    def examine() -> list[Finding]:
        depth = bootstrap.publisher().queue_depth()
        return [Finding(subject="broker", is_wrong=False, found=f"reachable, {depth} tasks wait")]

    return _reached("broker", "BROKER__URL", examine)


def _kafka() -> list[Finding]:
    def examine() -> list[Finding]:
        with closing(bootstrap.kafka_source()) as source:
            partitions = source.partitions()
            commits = source.committed(partitions) if partitions else {}
        findings = examine_topics(bootstrap.settings().kafka.topics, partitions)
        try:
            ledger = bootstrap.ingest_ledger()
            facts = LedgerFacts(
                birth=ledger.birth() if ledger.is_born() else None,
                positions=frozenset(bootstrap.ledger_figures().positions()),
                commits=commits,
            )
        except TransientError:
            return findings  # told already
        return [*findings, examine_ledger(facts)]

    return _reached("kafka", "KAFKA__BOOTSTRAP_SERVERS", examine)


def _odim() -> list[Finding]:
    if not bootstrap.follows_odim():
        return []
    return _reached("odim", "ODIM__REDIS_URL", lambda: examine_odim(bootstrap.odim_store().examine()))


def _reached(store: str, setting: str, examine: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return examine()
    except TransientError as exc:
        remedy = f"start it, or mend {setting}"
        return [Finding(subject=store, is_wrong=True, found=f"cannot be reached: {exc}", remedy=remedy)]


def _print(finding: Finding) -> None:
    mark = click.style("wrong", fg="red", bold=True) if finding.is_wrong else click.style("ok   ", fg="green")
    click.echo(f"{mark}  {finding.subject}: {finding.found}")
    if finding.remedy:
        click.echo(f"       {finding.remedy}")
