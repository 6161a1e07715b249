"""
The end of retention, by the beat schedule.
"""

from celery import shared_task

from odim_relay import bootstrap
from odim_relay.errors import TransientError


@shared_task(name="odim_relay.expire", ignore_result=True, throws=(TransientError,))
def expire() -> None:
    """
    Let go what waited too long.
    """
    bootstrap.expire()()
