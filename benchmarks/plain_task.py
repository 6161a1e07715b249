"""
What odim-relay is compared with: a Celery task as a good engineer writes it when the payload travels in the message.
"""

import os

import requests
from celery import Celery
from requests.adapters import HTTPAdapter

app = Celery("plain", broker=os.environ.get("PLAIN_BROKER", "redis://127.0.0.1:6379/1"))
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_pool="threads",
    worker_prefetch_multiplier=int(os.environ.get("PLAIN_PREFETCH", "4")),
    worker_send_task_events=os.environ.get("PLAIN_TASK_EVENTS") == "true",
)
session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=100))
session.mount("https://", HTTPAdapter(pool_maxsize=100))


@app.task(autoretry_for=(requests.RequestException,), retry_backoff=15, max_retries=5)  # type: ignore[untyped-decorator]
def deliver(url: str, delivery_id: str, body: str) -> None:
    """
    Deliver or try again.
    """
    headers = {"Content-Type": "application/json", "webhook-id": delivery_id}
    session.post(url, data=body, headers=headers, timeout=15).raise_for_status()
