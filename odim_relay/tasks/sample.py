"""
Samples of how everything stands, by the beat schedule.
"""

from celery import shared_task

from odim_relay import bootstrap
from odim_relay.errors import TransientError


@shared_task(name="odim_relay.sample", ignore_result=True, throws=(TransientError,))
def sample() -> None:
    """
    Keep how everything stands, for those who look at it over time.
    """
    bootstrap.take_sample()()
