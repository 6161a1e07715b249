"""
The ledger's repair, by the beat schedule.
"""

from celery import shared_task

from odim_relay import bootstrap
from odim_relay.errors import TransientError


@shared_task(name="odim_relay.reap", ignore_result=True, throws=(TransientError,))
def reap() -> None:
    """
    Queue again what lapsed.
    """
    bootstrap.reap()()
