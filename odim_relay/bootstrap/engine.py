"""
Celery.
"""

from collections.abc import Iterable
from functools import cache

from celery import Celery
from kombu.exceptions import OperationalError

from odim_relay.adapters.celery.app import make_app
from odim_relay.adapters.celery.publisher import CeleryPublisher
from odim_relay.bootstrap.process import sign_of_life
from odim_relay.bootstrap.stores import turn
from odim_relay.errors import TransientError
from odim_relay.ports import WorkerFacts


@cache
def celery_app() -> Celery:
    """
    The Celery app of this process.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    return make_app(beat_turn=lambda: turn("beat"), note_alive=_note_alive)


def _note_alive() -> None:
    # Asked for when it is called: Flower and who only publishes give no signs, and need no file.
    sign_of_life()()


@cache
def publisher() -> CeleryPublisher:
    """
    Hands out delivery tasks.
    """
    return CeleryPublisher(celery_app())


def answering_workers(names: Iterable[str], wait_s: float) -> set[str]:
    """
    Tell which of these Celery nodes (`name@host`) answer a ping in time; none when the broker does not answer.
    """
    try:
        return set(celery_app().control.inspect(destination=list(names), timeout=wait_s).ping() or ())
    except (OSError, OperationalError):
        return set()


def answer_questions() -> None:
    """
    Have this worker tell who it is, when somebody asks.
    """
    import odim_relay.adapters.celery.answers  # noqa: F401, PLC0415 - importing it is what does it, in workers only


def ask_workers(wait_s: float) -> list[WorkerFacts]:
    """
    Ask all workers who they are; takes as long as is waited.

    Raises:
        TransientError: the broker does not answer.
    """
    from odim_relay.adapters.celery import answers  # noqa: PLC0415 - brings all of Celery's worker with it

    try:
        return answers.ask_workers(celery_app(), wait_s)
    except (OSError, OperationalError) as exc:
        raise TransientError(f"the broker failed: {exc}") from exc
