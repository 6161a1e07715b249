"""
The Celery app, with our connections in it.
"""

from celery import Celery

from odim_relay.adapters.celery import redis_transport

_TASKS = tuple(f"odim_relay.tasks.{name}" for name in ("deliver", "reap", "replay", "expire"))


def make_app() -> Celery:
    """
    Make the app; its settings are those of `celeryconfig`, read at once.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    redis_transport.install()
    app = Celery("odim_relay", include=_TASKS, amqp="odim_relay.adapters.celery.reconnecting:Amqp")
    app.config_from_object("celeryconfig", force=True)
    return app
