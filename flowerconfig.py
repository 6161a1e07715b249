"""
Flower's settings, plain, made from ours. Read by `celery -A odim_relay flower` in any working directory.

Why each value is as it is: docs/adr/0048-flower-asks-who-looks.md.
"""

import sys
from typing import Any

from odim_relay.settings import load

_settings = load().flower

address = _settings.bind
port = _settings.port
url_prefix = _settings.url_prefix

if not _settings.unauthenticated:
    if not _settings.password:
        sys.stderr.write(
            "odim-relay: ODIM_RELAY_FLOWER__PASSWORD is not set, and without one everybody could look. Set it, or "
            "ODIM_RELAY_FLOWER__UNAUTHENTICATED=true where a proxy asks who it is\n"
        )
        raise SystemExit(2)
    basic_auth = [f"{_settings.username}:{_settings.password}"]
read_only = _settings.read_only

# Flower would tell all workers to send events, also those that are not to, every five seconds.
enable_events = _settings.task_events

# What it remembers is in memory alone: a file would be a pickle, and what was before a restart is in the ledger.
persistent = False
max_tasks = _settings.max_tasks
max_workers = _settings.max_workers
purge_offline_workers = _settings.purge_offline_workers_s
inspect_timeout = float(_settings.inspect_timeout_s) * 1000  # of exactly this type

tasks_columns = "name,uuid,kwargs,state,retries,exception,received,runtime,worker"

_NOTHING = {"()", "[]", "{}", "None"}


def format_task(task: Any) -> Any:
    """
    Show a task: what says nothing is left out. Its arguments are written to be read where they are published.
    """
    for name in ("args", "kwargs", "result"):
        if getattr(task, name, None) in _NOTHING:
            setattr(task, name, "")
    # A retry that a worker holds until it is due is RECEIVED anew; which of the two events comes later is chance.
    if task.state == "RETRY" or (task.state == "RECEIVED" and task.retries):
        task.exception = _inside(task.exception)
    elif task.state != "FAILURE":
        task.exception = None  # of an attempt before
    return task


def _inside(text: str | None) -> str | None:
    """
    The words in an exception's representation: `RetryLater('next attempt in 15.0 s')`.
    """
    _, opens, rest = (text or "").partition("('")
    return rest.removesuffix("')") if opens else text
