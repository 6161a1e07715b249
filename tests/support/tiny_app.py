"""
The smallest Celery app there is to test with: its one task writes down that it began and ended.
"""

import os
import time

import redis
from celery import Celery

app = Celery("tiny_app", broker=os.environ.get("TINY_APP_BROKER_URL"))
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    # What a killed worker held comes back in seconds.
    broker_transport_options={"visibility_timeout": 2, "unacked_restore_interval": 1, "unacked_restore_throttle": 1},
)


@app.task(name="tiny.note")  # type: ignore[untyped-decorator] # Celery has no types
def note(word: str, seconds: float = 0) -> None:
    """
    Adds `began word` and, so many seconds later, `ended word` to the list `notes` in the broker's Redis.
    """
    with redis.Redis.from_url(os.environ["TINY_APP_BROKER_URL"]) as client:
        client.rpush("notes", f"began {word}")
        time.sleep(seconds)
        client.rpush("notes", f"ended {word}")
