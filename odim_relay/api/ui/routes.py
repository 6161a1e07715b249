"""
From a path to its page.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from odim_relay.api.ui.visit import Handler

_PARAMETER = re.compile(r"\{(\w+)\}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    One page, or all of one shape.

    Attributes:
        path: `/ui/subscriptions/{subscription_id}`.
        handlers: by method; HEAD is GET without the body.
        is_open: needs no log-in.
    """

    path: str
    handlers: Mapping[str, Handler]
    is_open: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """
        All that are allowed, in order.
        """
        return tuple(sorted({*self.handlers, *(("HEAD",) if "GET" in self.handlers else ())}))


class Pages:
    """
    All pages by path. One that is named in full goes before one of its shape.
    """

    def __init__(self, pages: Iterable[Page]) -> None:
        self._pages = [(tuple(page.path.split("/")), page) for page in pages]

    def find(self, raw_path: str) -> tuple[Page, dict[str, str]] | None:
        """
        The page at this path, with what its shape names.

        Args:
            raw_path: percent-encoded, as it came: an encoded slash is part of a name.
        """
        segments = tuple(unquote(part) for part in raw_path.removesuffix("/").split("/"))
        found = [(page, params) for shape, page in self._pages if (params := _matched(shape, segments)) is not None]
        return min(found, key=lambda one: len(one[1]), default=None)


def _matched(shape: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    if len(shape) != len(segments):
        return None
    params = {}
    for expected, segment in zip(shape, segments, strict=True):
        parameter = _PARAMETER.match(expected)
        if parameter and segment:
            params[parameter.group(1)] = segment
        elif expected != segment:
            return None
    return params
