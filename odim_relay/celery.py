"""
The Celery app: `celery -A odim_relay worker`, `beat`, `flower`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery.signals import beat_init, setup_logging, worker_init, worker_shutdown, worker_shutting_down

from odim_relay import bootstrap
from odim_relay.errors import ConfigurationError, TransientError
from odim_relay.telemetry import logger

_USAGE_ERROR = 2

# By itself Flower looks for a flowerconfig.py in the working directory, and where there is none it lets everybody in.
# Ours lies beside the package, in a checkout as in an installed wheel. The variable is Flower's; `--conf` overrides it.
os.environ.setdefault("FLOWER_CONF", str(Path(__file__).parents[1] / "flowerconfig.py"))

try:
    app = bootstrap.celery_app()
except ConfigurationError as exc:
    sys.stderr.write(f"odim-relay: {exc}\n")
    raise SystemExit(_USAGE_ERROR) from None


@contextmanager
def _refusing() -> Iterator[None]:
    """
    End this process when a setting is wrong; a store that is away comes back.
    """
    try:
        yield
    except TransientError as exc:
        logger(__name__).warning("worker.waiting", detail=str(exc))
    except ConfigurationError as exc:
        sys.stderr.write(f"odim-relay: {exc}\n")
        raise SystemExit(_USAGE_ERROR) from None


@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    bootstrap.configure_logs()


@worker_init.connect
def _prepare(**_: Any) -> None:
    """
    Meet a wrong setting at the start, not at the first event.
    """
    bootstrap.configure_logs()  # Celery would ask for it a little later
    bootstrap.answer_questions()
    with _refusing():
        bootstrap.sign_of_life()
        bootstrap.require_durable_ledger()
        bootstrap.deliver()


@beat_init.connect
def _prepare_beat(**_: Any) -> None:
    """
    As a worker.
    """
    with _refusing():
        bootstrap.sign_of_life()
        bootstrap.scripts()


@worker_shutdown.connect
def _tell_the_rest(**_: Any) -> None:
    bootstrap.close_attempt_log()
    bootstrap.close_tracer()


@worker_shutting_down.connect
def _stop_waiting(**_: Any) -> None:
    bootstrap.stopping.set()
