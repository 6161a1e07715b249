import time

import pytest

from odim_relay.api.ui.listing import PAGE_SIZE, Row, Wish, chosen, page_of, row_of
from odim_relay.api.ui.words import Health
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import SubscriptionStatus


def row(name: str, *, waiting: int = 0, dead: int = 0, oldest_s: float | None = None, suspended: str = "") -> Row:
    subscription = Subscription(subscription_id=f"id-{name}", destination=f"https://{name}.example/x?key=1", name=name)
    status = SubscriptionStatus(
        subscription_id=subscription.subscription_id,
        subscription=subscription,
        flow=SubscriptionFlow(subscription_id=subscription.subscription_id, exists=True, suspended_by=suspended),
        destination=DestinationFlow(destination_id="d"),
        waiting_count=waiting,
        dead_letter_count=dead,
        oldest_age_s=oldest_s,
    )
    return row_of(status, subscription)


ROWS = [
    row("beta"),
    row("Alpha", waiting=5, oldest_s=60),
    row("gamma", dead=3, oldest_s=10),
    row("delta", suspended="by_hand"),
    row("omega", suspended="gone"),
]


def names(wish: Wish) -> list[str]:
    return [found.subscription.name for found in chosen(ROWS, wish).rows]


def test_what_needs_a_look_comes_first() -> None:
    assert names(Wish()) == ["omega", "Alpha", "gamma", "delta", "beta"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["Alpha", "beta", "delta", "gamma", "omega"]),
        ("-name", ["omega", "gamma", "delta", "beta", "Alpha"]),
        ("waiting", ["Alpha", "beta", "gamma", "delta", "omega"]),
        ("-dead", ["beta", "Alpha", "delta", "omega", "gamma"]),
        ("oldest", ["Alpha", "gamma", "beta", "delta", "omega"]),
    ],
)
def test_each_column_sorts_from_the_end_that_one_wants_to_see(sort: str, order: list[str]) -> None:
    assert names(Wish.of({"sort": sort})) == order


def test_a_search_looks_into_name_destination_and_id_and_nowhere_else() -> None:
    assert names(Wish(search="ALPHA")) == ["Alpha"]
    assert names(Wish(search="https://gamma")) == ["gamma"]
    assert names(Wish(search="id-delta")) == ["delta"]
    assert names(Wish(search="key=1")) == []  # the query may be a secret


def test_only_with_trouble_leaves_out_who_is_well() -> None:
    assert names(Wish(is_troubled=True)) == ["omega", "Alpha", "gamma", "delta"]
    assert Health.OK not in {found.health for found in chosen(ROWS, Wish(is_troubled=True)).rows}


@pytest.mark.parametrize(
    "query", [{"page": "-1"}, {"page": "x"}, {"sort": "secret"}, {"sort": "--name"}, {"trouble": "maybe"}, {"q": " "}]
)
def test_what_is_wished_wrongly_is_as_if_it_were_not(query: dict[str, str]) -> None:
    assert names(Wish.of(query)) == names(Wish())


def test_a_wish_is_an_address_and_an_address_is_a_wish() -> None:
    wish = Wish(search="a&b", is_troubled=True, sort="dead", is_reversed=True, page=3)

    assert wish.uri(page=3) == "/ui/subscriptions?q=a%26b&trouble=1&sort=-dead&page=3"
    assert Wish.of({"q": "a&b", "trouble": "1", "sort": "-dead", "page": "3"}) == wish
    assert Wish().uri() == "/ui/subscriptions"
    assert wish.uri(search="") == "/ui/subscriptions?trouble=1&sort=-dead"  # from its first page


def test_a_second_click_on_a_heading_turns_the_order_round() -> None:
    assert Wish().sorted_by("name") == "/ui/subscriptions?sort=name"
    assert Wish(sort="name").sorted_by("name") == "/ui/subscriptions?sort=-name"
    assert Wish(sort="name", is_reversed=True).sorted_by("name") == "/ui/subscriptions?sort=name"
    assert [Wish(sort="name").direction(column) for column in ("name", "dead")] == ["ascending", ""]
    assert Wish(sort="dead").direction("dead") == "descending"


def test_beyond_the_last_page_is_the_last_page() -> None:
    paged = page_of(range(120), 99)

    assert (paged.page, paged.page_count, list(paged.rows)) == (3, 3, list(range(100, 120)))
    assert (paged.first, paged.last, paged.total) == (101, 120, 120)
    assert page_of([], 7).page == 1
    assert (page_of([], 7).first, page_of([], 7).last) == (0, 0)


def test_ten_thousand_are_no_work() -> None:
    rows = [row(f"name-{number}", waiting=number % 7) for number in range(10_000)]
    started_at = time.perf_counter()

    paged = chosen(rows, Wish(search="name-9", sort="waiting", page=2))

    assert len(paged.rows) == PAGE_SIZE
    assert paged.total == 1_111
    assert time.perf_counter() - started_at < 0.5  # takes about a twentieth of that
