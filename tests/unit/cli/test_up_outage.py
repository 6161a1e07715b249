import io

from rich.console import Console

from odim_relay.cli.up_outage import chart, picture, what_is_wrong
from odim_relay.dev.meter import Reading
from odim_relay.dev.outage import Scene
from odim_relay.dev.outage_account import Account
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.ports import DestinationFlow


def test_the_highest_bar_is_full_and_what_is_not_zero_is_seen() -> None:
    drawn = chart("waiting", [0, 1, 500, 1_000], 10, "yellow", "in the ledger")
    assert drawn.plain == " waiting    ▁▄█  at most 1,000 in the ledger"


def test_only_the_last_values_are_drawn_where_there_is_no_room_for_all() -> None:
    drawn = chart("waiting", [1_000, 0, 0], 2, "yellow", "in the ledger")
    assert drawn.plain == " waiting   " + "  " + "  at most 1,000 in the ledger"
    assert chart("waiting", [], 2, "yellow", "there").plain.endswith("at most 0 there")


def test_the_picture_fits_on_eighty_columns() -> None:
    destination = DestinationFlow(
        destination_id="d", breaker=Breaker.OPEN, opened_at_ms=1_000, next_probe_at_ms=9_000, is_unreachable=True
    )
    reading = Reading(ingested=1_500, waiting=1_100, probes=3, knocks=2, destination=destination, now_ms=5_000)
    scene = Scene(published=1_520, arrived=400, ledger=reading, arrivals=[40] * 90, waiting=[1_100] * 90)
    console = Console(file=io.StringIO(), width=80)
    console.print(picture(scene, 80))
    assert isinstance(console.file, io.StringIO)
    drawn = console.file.getvalue()
    assert max(map(len, drawn.splitlines())) <= 80
    for shown in ("1,500", "400", "1,100", "open for 4 s, knocked at until it accepts connections"):
        assert shown in drawn
    assert len(drawn.splitlines()) == 9


def test_what_did_not_arrive_once_is_named_up_to_a_few() -> None:
    ids = tuple(f"e{number}" for number in range(1_200))
    account = Account(published=2_000, lost_ids=ids, doubled_ids=("x",))
    assert (
        what_is_wrong(account)
        == "1,200 of the events did not arrive: e0, e1, e2, e3, e4, ...; 1 arrived more than once: x"
    )
    assert what_is_wrong(Account(published=5, arrived=5)) == "no event waited for the subscriber: nothing is proven"
