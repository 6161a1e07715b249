"""
`odim-relay doctor`.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict

import click

from odim_relay import __version__, bootstrap
from odim_relay.cli.exits import FAILED, UNREACHABLE
from odim_relay.cli.output import json_option, print_json, quiet_logs
from odim_relay.errors import ConfigurationError, PermanentError, TransientError
from odim_relay.use_cases.doctor import (
    LedgerFacts,
    examine_ledger,
    examine_odim,
    examine_redis,
    examine_secrets,
    examine_topics,
)
from odim_relay.use_cases.doctor_kafka import examine_group, examine_lost, examine_retention
from odim_relay.use_cases.doctor_processes import QUEUES, examine_beat, examine_workers
from odim_relay.use_cases.doctor_redis import examine_condition
from odim_relay.use_cases.doctor_settings import (
    examine_certificate,
    examine_egress,
    examine_files,
    examine_proxy,
    examine_times,
)
from odim_relay.use_cases.findings import Finding

_WORKERS_WITHIN_S = 2.0


@click.command()
@click.option("--stores", "only_stores", is_flag=True, help="Only stores, settings and files: no process has to run.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, only_stores: bool, as_json: bool) -> None:
    """
    Examine stores, processes, certificates and settings; say what is wrong and how to mend it.

    Exits with 3 if a store cannot be reached, else with 1 if anything is wrong.
    """
    quiet_logs()
    findings = list(_everything(only_stores=only_stores))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    if any(finding.is_unreachable for finding in findings):
        ctx.exit(UNREACHABLE)
    if any(finding.is_wrong for finding in findings):
        ctx.exit(FAILED)


def _everything(*, only_stores: bool) -> Iterator[Finding]:
    redis = _reached("redis", "REDIS__URL", lambda: examine_redis(bootstrap.redis_facts()))
    yield from redis
    has_ledger = not any(finding.is_unreachable for finding in redis)
    broker, workers = _reached("broker", "BROKER__URL", _broker), None
    if not only_stores and not any(finding.is_unreachable for finding in broker):
        with suppress(TransientError):  # it went away this very moment
            workers = bootstrap.ask_workers(_WORKERS_WITHIN_S)
    if has_ledger:
        yield from _told_once(lambda: _condition(None if workers is None else len(workers)))
        yield from _told_once(_secrets)
    yield from broker
    if workers is not None:
        yield from examine_workers(workers, __version__)
    if has_ledger and not only_stores:
        yield from _told_once(lambda: [examine_beat(has_beat=bootstrap.ledger_figures().sizes().has_beat)])
    yield from _reached("kafka", "KAFKA__BOOTSTRAP_SERVERS", lambda: _kafka(only_stores=only_stores))
    yield from _odim()
    yield from _files(has_ledger=has_ledger)
    yield from _settings()


def _condition(worker_count: int | None) -> list[Finding]:
    condition = bootstrap.redis_facts().condition
    return [] if condition is None else examine_condition(condition, bootstrap.redis_needs(worker_count))


def _secrets() -> list[Finding]:
    return examine_secrets(bootstrap.rotate_secrets().states(), can_seal=bootstrap.sealer().can_seal)


def _broker() -> list[Finding]:
    waiting = ", ".join(f"{bootstrap.publisher().queue_depth(queue)} for {queue}" for queue in QUEUES)
    return [Finding(subject="broker", is_wrong=False, found=f"reachable; tasks that wait: {waiting}")]


def _kafka(*, only_stores: bool) -> list[Finding]:
    topics = bootstrap.settings().kafka.topics
    with closing(bootstrap.kafka_source()) as source:
        partitions = source.partitions()
        commits = source.committed(partitions) if partitions else {}
        bounds = {partition: source.bounds(partition) for partition in partitions}
    findings = examine_topics(topics, partitions)
    for topic, facts in bootstrap.kafka_topics().facts(topics).items():
        findings += examine_retention(topic, facts)
    if not only_stores:
        findings.append(examine_group(_bridge_count(), partitions))
    try:
        ledger = bootstrap.ingest_ledger()
        positions = bootstrap.ledger_figures().positions()
        known = LedgerFacts(
            birth=ledger.birth() if ledger.is_born() else None, positions=frozenset(positions), commits=commits
        )
    except TransientError:
        return findings  # told already
    return [*findings, examine_ledger(known), *examine_lost(positions, bounds)]


def _bridge_count() -> int | None:
    try:
        return bootstrap.consumer_group().member_count()
    except PermanentError:
        return None


def _odim() -> list[Finding]:
    if not bootstrap.follows_odim():
        return []
    return _reached("odim", "ODIM__REDIS_URL", lambda: examine_odim(bootstrap.odim_store().examine()))


def _files(*, has_ledger: bool) -> Iterator[Finding]:
    subscriptions = []
    if has_ledger:
        with suppress(ConfigurationError, TransientError):  # told already
            subscriptions = list(bootstrap.subscribe().everything())
    yield from examine_files(*bootstrap.tls_problems(subscriptions))
    if has_ledger or bootstrap.settings().api.tls_cert_file is not None:
        yield from _told_once(_certificate)


def _certificate() -> list[Finding]:
    subject = "certificate of the api"
    try:
        found = bootstrap.api_certificate()
    except (OSError, ValueError, PermanentError) as exc:
        return [
            Finding(subject=subject, is_wrong=True, found=f"cannot be read: {exc}", remedy="see API__TLS_CERT_FILE")
        ]
    return [] if found is None else [examine_certificate(subject, found[0], is_own=found[1])]


def _settings() -> Iterator[Finding]:
    yield from examine_times(bootstrap.chosen_times())
    policy = bootstrap.egress_policy()
    yield from examine_egress(policy.allow, policy.deny)
    if (proxy := bootstrap.proxy_problem()) is not None:
        yield examine_proxy(*proxy)


def _told_once(examine: Callable[[], list[Finding]]) -> list[Finding]:
    """
    What is found on a server that cannot be used is told already.
    """
    try:
        return examine()
    except (ConfigurationError, TransientError):
        return []


def _reached(store: str, setting: str, examine: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return examine()
    except TransientError as exc:
        return [
            Finding(
                subject=store,
                is_wrong=True,
                found=f"cannot be reached: {exc}",
                remedy=f"start it, or mend {setting}",
                is_unreachable=True,
            )
        ]


def _print(finding: Finding) -> None:
    mark = click.style("wrong", fg="red", bold=True) if finding.is_wrong else click.style("ok   ", fg="green")
    click.echo(f"{mark}  {finding.subject}: {finding.found}")
    if finding.remedy:
        click.echo(f"       {finding.remedy}")
