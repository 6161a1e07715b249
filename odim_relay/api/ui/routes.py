"""
From a path to its page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from odim_relay.api.http.paths import decoded_segments, matched, segments_of
from odim_relay.api.ui.visit import Handler


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
        self._pages = [(segments_of(page.path), page) for page in pages]

    def find(self, raw_path: str) -> tuple[Page, dict[str, str]] | None:
        """
        The page at this path, with what its shape names.

        Args:
            raw_path: percent-encoded, as it came: an encoded slash is part of a name.
        """
        segments = decoded_segments(raw_path)
        found = [(page, params) for shape, page in self._pages if (params := matched(shape, segments)) is not None]
        return min(found, key=lambda one: len(one[1]), default=None)
