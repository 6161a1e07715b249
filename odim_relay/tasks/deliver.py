"""
One attempt of one delivery.
"""

from typing import Any

from celery import shared_task

from odim_relay import bootstrap
from odim_relay.errors import TransientError
from odim_relay.ports import TaskTicket


class RetryLater(Exception):  # noqa: N818 - no error: what Flower shows beside a task that is to be retried
    """
    When the next attempt is due.
    """


@shared_task(bind=True, name="odim_relay.deliver", ignore_result=True, max_retries=None, throws=(TransientError,))
def deliver(self: Any, delivery_id: str, seq: int) -> None:
    """
    Deliver, and let Celery count down to the next attempt where there is to be one (L22).

    The ledger knows of the retry before Celery does: if its message is lost, the reaper finds the delivery (L23).
    """
    retry = bootstrap.deliver()(TaskTicket(delivery_id=delivery_id, seq=seq))
    if retry is not None:
        # A run of an ordered subscription ends with another delivery than it began with.
        raise self.retry(
            args=(retry.delivery_id, retry.seq),
            countdown=retry.wait_s,
            task_id=retry.delivery_id,
            exc=RetryLater(f"next attempt in {retry.wait_s:.1f} s"),
            **retry.in_words(),
        )
