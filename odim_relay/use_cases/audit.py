"""
Who did what: noted where it is done, for whoever does it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from odim_relay.domain.actor import NOBODY, Actor
from odim_relay.errors import TransientError
from odim_relay.ports import Action, AuditLog, Deed
from odim_relay.telemetry import logger

log = logger(__name__)

_actor: ContextVar[Actor] = ContextVar("actor", default=NOBODY)
_under_way: ContextVar["Note | None"] = ContextVar("under_way", default=None)


def act_as(actor: Actor) -> None:
    """
    Whatever is done from now on in this context, and in threads that copy it, is this one's doing.
    """
    _actor.set(actor)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """
    Whatever is done within is this one's doing.
    """
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    """
    Who does what is done in this context; the relay itself when nobody said.
    """
    return _actor.get()


@dataclass(slots=True, kw_only=True)
class Note:
    """
    What is told of a deed while it is under way.

    Attributes:
        is_void: nothing was done that anybody wants to know of.
    """

    action: Action
    subject: str = ""
    count: int | None = None
    detail: str = ""
    is_void: bool = False
    actor: Actor | None = None

    def add(self, count: int) -> None:
        """
        Count so many more things that it was done to.
        """
        self.count = (self.count or 0) + count


class Audit:
    """
    Notes deeds: a log line, and an entry of the log that is kept. Threads may share one.

    What is noted never holds up or fails what is done: a store that is away costs the entry, and is told in the log.
    """

    def __init__(self, kept: AuditLog | None = None) -> None:
        """
        Args:
            kept: None where nobody is to know.
        """
        self._kept = kept

    @contextmanager
    def __call__(self, action: Action, subject: str = "", *, detail: str = "") -> Iterator[Note]:
        """
        Note what is done within, when it is done; when it fails, by the kind of its error, which comes through. Of
        the same action within it only the count is added: many steps are one deed.
        """
        outer = _under_way.get()
        if outer is not None and outer.action is action:
            inner = Note(action=action, subject=subject)
            yield inner
            outer.add(0 if inner.is_void else 1 if inner.count is None else inner.count)
            return
        note = Note(action=action, subject=subject, detail=detail)
        token = _under_way.set(note)
        try:
            yield note
        # Also somebody who interrupts it has done what was done until then. Messages may quote what they refuse, and
        # with it a secret that stands in the wrong place: the kind says enough, the rest was told to who asked.
        except BaseException as exc:
            self._note(note, error=type(exc).__name__)
            raise
        finally:
            _under_way.reset(token)
        if not note.is_void:
            self._note(note)

    def refused(self, actor: Actor, error: str) -> None:
        """
        Note a log-in that was refused.
        """
        self._note(Note(action=Action.LOG_IN_REFUSED, actor=actor), error=error)

    def _note(self, note: Note, *, error: str = "") -> None:
        if self._kept is None:
            return
        deed = Deed(
            action=note.action,
            actor=note.actor or _actor.get(),
            subject=note.subject,
            count=note.count,
            detail=note.detail,
            error=error,
        )
        members = {"subject": deed.subject, "count": deed.count, "detail": deed.detail, "error": deed.error}
        log.info(
            "audit.noted",
            action=deed.action,
            actor=deed.actor.name,
            channel=deed.actor.channel,
            client=deed.actor.client,
            **{name: value for name, value in members.items() if value not in ("", None)},
        )
        try:
            self._kept.note(deed)
        except TransientError as exc:
            log.error("audit.not_kept", action=deed.action, subject=deed.subject, detail=str(exc))  # noqa: TRY400 - the message says all


NOT_KEPT = Audit()
"""
Nobody is told: for what is tried out apart from a relay.
"""
