import json
from collections.abc import Mapping, Sequence

from odim_relay.formats.odim_tables import OdimView, read_tables
from tests.support.odim_redis import OdimSubscription

AGGREGATES = "/redfish/v1/AggregationService/Aggregates"
ONE = "/redfish/v1/Systems/one.1"
TWO = "/redfish/v1/Systems/two.1"
ID = "3ce177bf-42a4-4335-b1c1-41540a4b65d7"


def device(host: str, *origins: str) -> str:
    return f"{host}||https://{host}/s||[{' '.join(origins)}]"


def read(
    *,
    subscriptions: Sequence[str] = (),
    devices: Sequence[str] = (),
    aggregate_hosts: Sequence[str] = (),
    aggregates: Mapping[str, Sequence[str]] | None = None,
    known: Mapping[str, str] | None = None,
) -> OdimView:
    documents = {f"{AGGREGATES}/{id_}": json.dumps({"Elements": it}) for id_, it in (aggregates or {}).items()}
    return read_tables(
        subscriptions=subscriptions,
        devices=devices,
        aggregate_hosts=aggregate_hosts,
        aggregates=documents,
        known_sources=known or {},
    )


def test_no_row_keeps_another_from_being_read() -> None:
    good = OdimSubscription(id=ID, destination="https://s.example/").row()
    view = read(
        subscriptions=["nonsense", good, "{}"],
        devices=["nonsense", device("10.0.0.1", ONE), "SystemsCollection||||[/redfish/v1/Systems]"],
        aggregate_hosts=["nonsense"],
        aggregates={"a": [ONE], "b": []},
    )
    assert list(view.subscriptions) == [ID]
    assert view.sources == {"10.0.0.1": ONE}
    assert view.aggregates == {f"{AGGREGATES}/a": (ONE,), f"{AGGREGATES}/b": ()}
    assert view.skipped == {"no_elements": 1, "no_id": 1, "not_a_row": 2, "not_json": 1}


def test_of_two_rows_for_one_address_the_lexically_first_counts_however_they_are_spelled_and_read() -> None:
    rows = [device("[2001:db8::1]:443", TWO), device("2001:DB8::1", ONE)]
    assert rows[1] < rows[0]
    for ordered in (rows, rows[::-1]):
        view = read(devices=ordered)
        assert view.sources == {"2001:db8::1": ONE}
        assert view.skipped == {"second_row_of_address": 1}


def test_a_second_row_that_says_the_same_is_no_flaw() -> None:
    view = read(devices=[device("10.0.0.1", ONE), device("10.0.0.1:443", ONE)])
    assert view.sources == {"10.0.0.1": ONE}
    assert view.flaws == ()


def test_of_two_subscriptions_with_one_id_the_lexically_first_counts() -> None:
    rows = [OdimSubscription(id=ID, destination=f"https://{host}.example/").row() for host in ("b", "a")]
    view = read(subscriptions=rows)
    assert view.subscriptions[ID].subscription.destination == "https://a.example/"
    assert view.skipped == {"second_row_of_id": 1}


def test_the_hosts_of_an_aggregate_count_only_where_it_has_no_document() -> None:
    view = read(
        devices=[device("10.0.0.1", ONE), device("fe80::2", TWO)],
        aggregate_hosts=["a||[10.0.0.1]", "b||[[FE80::2]:443 10.0.0.1]"],
        aggregates={"a": [TWO]},
    )
    assert view.aggregates == {f"{AGGREGATES}/a": (TWO,), f"{AGGREGATES}/b": (TWO, ONE)}
    assert view.flaws == ()


def test_a_host_that_nobody_knows_keeps_no_other_out_of_its_aggregate() -> None:
    view = read(devices=[device("10.0.0.1", ONE)], aggregate_hosts=["a||[10.9.9.9 10.0.0.1]"])
    assert view.aggregates == {f"{AGGREGATES}/a": (ONE,)}
    assert view.skipped == {"unknown_host_in_aggregate": 1}


def test_a_host_whose_row_is_just_being_rewritten_stays_in_its_aggregate() -> None:
    view = read(aggregate_hosts=["a||[10.0.0.1]"], known={"10.0.0.1": ONE})
    assert view.aggregates == {f"{AGGREGATES}/a": (ONE,)}
    assert view.sources == {}


def test_an_aggregate_of_which_two_rows_say_different_things_is_as_the_first_says() -> None:
    view = read(
        devices=[device("10.0.0.1", ONE), device("10.0.0.2", TWO)], aggregate_hosts=["a||[10.0.0.2]", "a||[10.0.0.1]"]
    )
    assert view.aggregates == {f"{AGGREGATES}/a": (ONE,)}
    assert view.skipped == {"second_row_of_aggregate": 1}
