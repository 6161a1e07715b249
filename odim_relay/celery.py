"""
The Celery app: `celery -A odim_relay worker`, `beat`, `flower`.
"""

from typing import Any

from celery import Celery
from celery.signals import setup_logging

from odim_relay import bootstrap

app = Celery("odim_relay", include=["odim_relay.tasks.deliver", "odim_relay.tasks.reap"])
app.config_from_object("celeryconfig")


@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    bootstrap.configure_logs()
