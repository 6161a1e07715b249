"""
Heartbeats, by the beat schedule.
"""

from celery import shared_task

from odim_relay import bootstrap
from odim_relay.errors import TransientError


@shared_task(name="odim_relay.heartbeat", ignore_result=True, throws=(TransientError,))
def heartbeat() -> None:
    """
    Tell those who asked for it that we are there.
    """
    bootstrap.heartbeat()()
