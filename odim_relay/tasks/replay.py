"""
Replay of what is parked, by the beat schedule.
"""

from celery import shared_task

from odim_relay import bootstrap
from odim_relay.errors import TransientError


@shared_task(name="odim_relay.replay", ignore_result=True, throws=(TransientError,))
def replay() -> None:
    """
    Let parked deliveries go that may, and probe destinations.
    """
    bootstrap.replay()()
