"""
Notices, by the beat schedule and by whoever changed something.
"""

from celery import shared_task

from odim_relay import bootstrap
from odim_relay.errors import TransientError


@shared_task(name="odim_relay.tell", ignore_result=True, throws=(TransientError,))
def tell() -> None:
    """
    Tell what changed about the relay itself.
    """
    bootstrap.tell()()
