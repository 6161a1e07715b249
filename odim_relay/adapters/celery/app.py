"""
The Celery app, with our connections in it.
"""

from collections.abc import Callable

from celery import Celery

from odim_relay.adapters.celery import amqp_transport, redis_transport
from odim_relay.adapters.celery.loop_step import LoopStep
from odim_relay.ports import Turn

_NAMES = ("deliver", "reap", "replay", "expire", "examine", "heartbeat", "sample", "tell")
_TASKS = tuple(f"odim_relay.tasks.{name}" for name in _NAMES)


def make_app(*, beat_turn: Callable[[], Turn], note_alive: Callable[[], None]) -> Celery:
    """
    Make the app; its settings are those of `celeryconfig`, read at once.

    Args:
        beat_turn: makes the turn of sending the schedule, for beat alone; may raise `TransientError`.
        note_alive: called by the main loop of a worker or beat, every few seconds, also while its broker is away.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    amqp_transport.install()
    redis_transport.install()
    app = Celery("odim_relay", include=_TASKS, amqp="odim_relay.adapters.celery.reconnecting:Amqp")
    app.config_from_object("celeryconfig", force=True)
    app.beat_turn = beat_turn
    app.note_alive = note_alive
    app.steps["consumer"].add(LoopStep)
    return app
