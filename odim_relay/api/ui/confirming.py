"""
What asks before it acts: a page that says what would happen, with one button that does it. It works without a script.
"""

from dataclasses import dataclass

from odim_relay.api.ui.visit import PageReply


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """
    A span of time that may be given.
    """

    name: str
    label: str
    hint: str
    value: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    What would be done.

    Attributes:
        subject: to what.
        text: what would happen, a paragraph each.
        verb: the words on the button.
        action: where the form goes.
        back: where one goes who does not want it.
        hidden: further fields of the form.
        is_final: it cannot be undone.
    """

    title: str
    subject: str
    text: tuple[str, ...]
    verb: str
    action: str
    back: str
    hidden: tuple[tuple[str, str], ...] = ()
    span: Span | None = None
    is_final: bool = False


def ask(question: Question, *, status: int = 200) -> PageReply:
    """
    The page that asks.
    """
    return PageReply(template="confirm.html", values={"question": question}, status=status)
