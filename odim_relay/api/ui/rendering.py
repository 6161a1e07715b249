"""
From a template to a page, or to the part of it that changes by itself.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from odim_relay import __version__
from odim_relay.api.ui import uris, words
from odim_relay.api.ui.attempts_plot import draw_attempts
from odim_relay.api.ui.plots import Plot, draw
from odim_relay.api.ui.visit import PageReply, Visit
from odim_relay.ports import AttemptRecord

_DIGITS = 12
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@cache
def _environment() -> Environment:
    # Every value is escaped, and one that a handler forgot is a fault and not an empty place.
    made = Environment(
        loader=PackageLoader("odim_relay.api.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "age": words.age,
        "moment": words.moment,
        "instant": words.instant,
        "count": words.count,
        "rate": words.rate,
        "shown": words.shown,
        "reason": words.reason,
        "last_failure": words.last_failure,
        "attempt_failure": words.attempt_failure,
        "decision": words.decision,
        "plot": _plot,
        "attempts_plot": _attempts_plot,
    }
    made.globals |= {
        "version": __version__,
        "uri": uris,
        "words": words,
        "static": static_uri,
    }
    return made


def _plot(plot: Plot) -> Markup:
    return Markup(draw(plot))  # noqa: S704 - it escapes what it draws


def _attempts_plot(attempts: Sequence[AttemptRecord]) -> Markup:
    return Markup(draw_attempts(attempts))  # noqa: S704 - as above


def render(reply: PageReply, visit: Visit | None) -> bytes:
    """
    The whole page.
    """
    return _drawn(reply, visit, "base.html").encode()


def render_live(reply: PageReply, visit: Visit | None) -> str:
    """
    The part of it that changes by itself.
    """
    return _drawn(reply, visit, "live.html")


def _drawn(reply: PageReply, visit: Visit | None, layout: str) -> str:
    values = {"visit": visit, "every_s": reply.every_s, "layout": layout, **reply.values}
    return _environment().get_template(reply.template).render(**values)


@cache
def static_file(name: str) -> tuple[bytes, str] | None:
    """
    A file of the page's, and its media type; None when there is none of this name.
    """
    suffix = f".{name.rpartition('.')[2]}"
    if suffix not in MEDIA_TYPES or "/" in name:
        return None
    path = files("odim_relay.api.ui").joinpath("static", name)
    return (path.read_bytes(), MEDIA_TYPES[suffix]) if path.is_file() else None


@cache
def static_version(name: str) -> str:
    """
    Tells one state of a file from another.
    """
    found = static_file(name)
    return "" if found is None else sha256(found[0]).hexdigest()[:_DIGITS]


def static_uri(name: str) -> str:
    """
    Where a file is, in this state of it.
    """
    return f"{uris.STATIC}/{name}?v={static_version(name)}"
