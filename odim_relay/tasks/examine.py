"""
A look at the ledger's server, by the beat schedule.
"""

from celery import shared_task

from odim_relay import bootstrap
from odim_relay.errors import TransientError


@shared_task(name="odim_relay.examine", ignore_result=True, throws=(TransientError,))
def examine() -> None:
    """
    Warn when the server does not keep what it is given.
    """
    bootstrap.watch_durability()()
