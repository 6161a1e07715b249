"""
Which subscriptions a page of the list shows, and in which order. Pure: it has to be quick with ten thousand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from odim_relay.api.ui.forms import read_number
from odim_relay.api.ui.uris import SUBSCRIPTIONS
from odim_relay.api.ui.words import RANKS, Health, standing_of
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.subscription import Subscription
from odim_relay.use_cases.status import SubscriptionStatus

PAGE_SIZE = 50
_LONGEST_SEARCH = 200
_HIGHEST_PAGE = 1_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One subscription of the list.
    """

    status: SubscriptionStatus
    subscription: Subscription
    health: Health
    words: str
    destination: str

    @property
    def searched(self) -> str:
        """
        What a search looks into.
        """
        return f"{self.subscription.subscription_id}\n{self.subscription.name}\n{self.destination}".casefold()


_KEYS: Mapping[str, Callable[[Row], Any]] = {
    "name": lambda row: (row.subscription.name or row.subscription.subscription_id).casefold(),
    "destination": lambda row: row.destination,
    "health": lambda row: RANKS[row.health],
    "waiting": lambda row: row.status.waiting_count,
    "dead": lambda row: row.status.dead_letter_count,
    "oldest": lambda row: row.status.oldest_age_s or 0,
}
_LARGEST_FIRST = frozenset({"health", "waiting", "dead", "oldest"})
"""
Columns of which one wants to see the other end first.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What is asked of the list.

    Attributes:
        search: part of an id, a name or a destination.
        is_troubled: only those that are not well.
        sort: a column; empty is what needs a look first.
        is_reversed: from its other end.
        page: from 1.
    """

    search: str = ""
    is_troubled: bool = False
    sort: str = ""
    is_reversed: bool = False
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wish":
        """
        As the page's query says; what it says wrongly is as if it did not.
        """
        sort = query.get("sort", "").removeprefix("-")
        return cls(
            search=query.get("q", "").strip()[:_LONGEST_SEARCH],
            is_troubled=query.get("trouble", "") in {"1", "on"},
            sort=sort if sort in _KEYS else "",
            is_reversed=query.get("sort", "").startswith("-"),
            page=read_number(query.get("page", ""), least=1, most=_HIGHEST_PAGE, default=1),
        )

    def uri(self, **changed: Any) -> str:
        """
        Where the list is with this wish, or with another one; that begins at its first page.
        """
        wish = replace(self, **{"page": 1, **changed})
        query = {
            "q": wish.search,
            "trouble": "1" if wish.is_troubled else "",
            "sort": f"{'-' if wish.is_reversed else ''}{wish.sort}" if wish.sort else "",
            "page": str(wish.page) if wish.page > 1 else "",
        }
        given = {name: value for name, value in query.items() if value}
        return f"{SUBSCRIPTIONS}?{urlencode(given)}" if given else SUBSCRIPTIONS

    def sorted_by(self, column: str) -> str:
        """
        Where a click on a column's heading leads.
        """
        return self.uri(sort=column, is_reversed=self.sort == column and not self.is_reversed)

    def direction(self, column: str) -> str:
        """
        How a column is sorted, as `aria-sort` says it; empty when it is not.
        """
        if self.sort != column:
            return ""
        return "descending" if (column in _LARGEST_FIRST) != self.is_reversed else "ascending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged(Generic[T]):
    """
    One page of many.

    Attributes:
        page: from 1; never beyond the last.
        total: of all pages together.
    """

    rows: Sequence[T]
    page: int
    page_count: int
    total: int
    size: int = PAGE_SIZE

    @property
    def first(self) -> int:
        """
        Number of its first row, from 1; 0 when there is none.
        """
        return (self.page - 1) * self.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        """
        Number of its last row.
        """
        return min(self.page * self.size, self.total)


def row_of(status: SubscriptionStatus, subscription: Subscription) -> Row:
    """
    A subscription as the list shows it.
    """
    health, words = standing_of(status)
    return Row(
        status=status,
        subscription=subscription,
        health=health,
        words=words,
        destination=_shown(subscription.destination),
    )


_shown = lru_cache(maxsize=20_000)(without_secrets)
"""
They are the same each time, and ten thousand of them take a while.
"""


def chosen(rows: Sequence[Row], wish: Wish) -> Paged[Row]:
    """
    The page that was wished for; the last one where there are fewer.
    """
    search = wish.search.casefold()
    found = [
        row
        for row in rows
        if (not wish.is_troubled or row.health is not Health.OK) and (not search or search in row.searched)
    ]
    # Sorting keeps the order of equals: what is older stands before what is younger.
    if wish.sort:
        found.sort(key=_KEYS[wish.sort], reverse=(wish.sort in _LARGEST_FIRST) != wish.is_reversed)
    else:
        found.sort(key=_urgency)
    return page_of(found, wish.page)


def page_of(rows: Sequence[T], page: int, size: int = PAGE_SIZE) -> Paged[T]:
    """
    One page of rows.
    """
    page_count = max(-(-len(rows) // size), 1)
    page = min(max(page, 1), page_count)
    start = (page - 1) * size
    return Paged(rows=rows[start : start + size], page=page, page_count=page_count, total=len(rows), size=size)


def _urgency(row: Row) -> tuple[int, int]:
    return -RANKS[row.health], -(row.status.dead_letter_count + row.status.waiting_count)
