"""
`odim-relay up`.
"""

import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path
from threading import Event as Flag

import click

from odim_relay import bootstrap
from odim_relay.cli.output import quiet_logs
from odim_relay.cli.settings_listing import without_password
from odim_relay.cli.up_outage import show_outage
from odim_relay.cli.up_screen import Screen
from odim_relay.cli.up_signals import obey_signals
from odim_relay.dev.demo import Demo
from odim_relay.dev.kafka_broker import NOTICE
from odim_relay.dev.stack import NotStartedError, Plan, Stack, StoppedError
from odim_relay.settings import ENV_PREFIX, Settings, load

_EVENT_EVERY_S = 2.0


@click.command()
@click.option("--demo", "is_demo", is_flag=True, help="With a sample subscriber and sample events.")
@click.option(
    "--outage",
    "is_outage",
    is_flag=True,
    help="Demonstrate a subscriber's outage and end: with 0 if every event arrived exactly once.",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Redis's data, logs, and what another terminal needs to know.  [default: .odim-relay; with --outage a folder "
    "that is removed if all went well]",
)
@click.option("--json", "as_json", is_flag=True, help="When all is ready, print where it is as one line of JSON.")
def up(*, is_demo: bool, is_outage: bool, data_dir: Path | None, as_json: bool) -> None:
    """
    Run everything on this machine, in the foreground: all processes, and what stores are not configured.

    Redis is embedded unless REDIS__URL is set, Kafka unless KAFKA__BOOTSTRAP_SERVERS is. SIGINT and SIGTERM stop all of
    it. On Linux all of it also ends when this process is killed; elsewhere the others go on, and are listed by
    `supervisorctl -c DATA_DIR/supervisord.conf status`. For development and demonstration.
    """
    quiet_logs()
    if is_outage:
        if is_demo or as_json:
            raise click.UsageError("--outage stands alone, or with --data-dir")
        show_outage(data_dir)
        return
    run(data_dir or Path(".odim-relay"), is_demo=is_demo, as_json=as_json)


def run(data_dir: Path, *, is_demo: bool, as_json: bool) -> None:
    """
    Run it until somebody wants to stop.
    """
    settings = load()
    if "require_durable" not in settings.redis.model_fields_set:
        os.environ[f"{ENV_PREFIX}REDIS__REQUIRE_DURABLE"] = "false"  # not for production: a warning will do
    started_at = time.monotonic()
    demo = Demo() if is_demo else None
    stopping = Flag()
    with Screen(is_silent=as_json) as screen:
        stack = Stack(_plan(settings, data_dir, demo), stopping=stopping, tell=screen.starting)
        obey_signals(stack, stopping)
        try:
            stack.start_stores()
            if demo is not None:
                demo.subscribe()
            stack.start_relay()
            if as_json:
                click.echo(json.dumps(_addresses(stack)))
            screen.ready(
                _lines(stack, demo),
                NOTICE if stack.has_embedded_kafka else None,
                seconds=time.monotonic() - started_at,
            )
            _work(stack, demo, screen)
        except StoppedError:
            pass
        except OSError:
            # A terminal that was closed cannot be written to, and has sent SIGHUP.
            if not stopping.is_set():
                raise
        except NotStartedError as exc:
            screen.still()
            click.echo(exc.log, err=True)
            raise
        finally:
            screen.stopping(stack.stop)


def _plan(settings: Settings, data_dir: Path, demo: Demo | None) -> Plan:
    return Plan(
        data_dir=data_dir,
        redis="url" not in settings.redis.model_fields_set,
        kafka="bootstrap_servers" not in settings.kafka.model_fields_set,
        topics=settings.kafka.topics,
        allows_loopback="allow" not in settings.egress.model_fields_set,
        worker_stop_s=math.ceil(settings.delivery.timeout_s) + 5,
        extra=() if demo is None else (demo.program,),
        needs_api_port="port" not in settings.api.model_fields_set,
        administrator=settings.api.admin_username,
        password=settings.api.admin_password,
        needs_flower_port="port" not in settings.flower.model_fields_set,
        needs_flower_login=not (settings.flower.password or settings.flower.unauthenticated),
    )


def _work(stack: Stack, demo: Demo | None, screen: Screen) -> None:
    next_event_at = time.monotonic()
    for _ in stack.watch():
        if demo is None:
            continue
        if time.monotonic() >= next_event_at:
            demo.publish()
            next_event_at += _EVENT_EVERY_S
        screen.show(demo.read())


def _addresses(stack: Stack) -> dict[str, object]:
    settings = bootstrap.settings()
    return {
        "ready": True,
        "api": stack.api_url,
        "page": f"{stack.api_url}/ui" if settings.ui.enabled else None,
        "flower": stack.flower_url,
        "redis": without_password(settings.redis.url),
        "broker": without_password(settings.broker_url),
        "kafka": settings.kafka.bootstrap_servers,
        "data_dir": str(stack.data_dir.path),
    }


def _lines(stack: Stack, demo: Demo | None) -> list[tuple[str, str]]:
    where = _addresses(stack)
    names = ("page", "api", "flower", "redis", "broker", "kafka")
    lines = [(name, str(where[name])) for name in names if where[name] is not None]
    if demo is not None:
        lines.append(("subscriber", f"{demo.destination} gets all events (subscription {demo.subscription_id})"))
    folder = stack.data_dir.path
    with suppress(ValueError):  # it lies elsewhere
        folder = folder.relative_to(Path.cwd())
    if stack.password_file is not None:
        user_name = bootstrap.settings().api.admin_username
        where_it_counts = "page, API and Flower" if stack.asks_same_login else "page and API"
        file = f"{folder}{os.sep}{stack.password_file.name}"
        lines.append(("log in as", f"{user_name}, password in {file} ({where_it_counts})"))
    lines.append(("logs", f"{folder}{os.sep}logs"))
    lines.append(("from here", f". {folder}{os.sep}env && odim-relay status   (in another terminal)"))
    return lines
