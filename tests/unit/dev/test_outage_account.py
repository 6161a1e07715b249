from odim_relay.dev.outage_account import settle

PUBLISHED = {"a": 0.0, "b": 11.0, "c": 12.0, "d": 21.0}
ARRIVALS = [(1.0, "a"), (22.0, "b"), (22.5, "d"), (23.0, "c")]


def test_all_that_was_published_arrived_once() -> None:
    account = settle(PUBLISHED, ARRIVALS, down_at_s=10.0, back_at_s=20.0)
    assert account.is_flawless
    assert (account.published, account.arrived, account.waited) == (4, 4, 2)
    assert (account.outage_s, account.first_s, account.last_s) == (10.0, 2.0, 3.0)


def test_what_is_missing_is_named() -> None:
    account = settle(PUBLISHED, ARRIVALS[:-1], down_at_s=10.0, back_at_s=20.0)
    assert not account.is_flawless
    assert account.lost_ids == ("c",)
    assert account.first_s == 2.0
    assert account.last_s is None


def test_what_came_twice_and_what_nobody_published_is_named() -> None:
    account = settle(PUBLISHED, [*ARRIVALS, (24.0, "b"), (24.0, "?")], down_at_s=10.0, back_at_s=20.0)
    assert not account.is_flawless
    assert account.lost_ids == ()
    assert account.doubled_ids == ("b",)
    assert account.strange_ids == ("?",)


def test_without_an_outage_nothing_is_proven() -> None:
    assert not settle(PUBLISHED, ARRIVALS, down_at_s=0.0, back_at_s=0.0).is_flawless
    arrivals = [(at_s / 10, event_id) for at_s, event_id in ARRIVALS]
    assert not settle(dict.fromkeys(PUBLISHED, 0.0), arrivals, down_at_s=10.0, back_at_s=20.0).is_flawless
