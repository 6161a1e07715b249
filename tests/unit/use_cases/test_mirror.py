import json
from dataclasses import replace

import pytest

from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters, RetryPolicy, Subscription
from odim_relay.errors import TransientError
from odim_relay.ports import InventoryChange, InventoryContent
from tests.fakes.followed_odim import AGGREGATE, ID, ONE, OTHER, THEIRS, TWO, FollowedOdim, device
from tests.support.odim_redis import OdimSubscription
from tests.unit.use_cases.conftest import Logs


@pytest.fixture
def world() -> FollowedOdim:
    return FollowedOdim()


# --- what is there ---


def test_everything_stands_here_after_one_pass_and_then_it_is_known_to_be_read(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.odim.devices = {device("10.0.0.1", ONE), device("[FE80::1]:443", TWO)}
    world.odim.aggregates = {AGGREGATE: json.dumps({"Elements": [{"@odata.id": ONE}]})}
    assert not world.inventory.has_been_read()

    assert world.read() is None

    assert world.store.get(ID) == Subscription(
        subscription_id=ID,
        destination="https://s.example/d",
        name="subscription",
        filters=Filters(event_types=("Alert",)),
        created_at_s=1_700_000_000,
        keeper=Keeper.ODIM,
    )
    assert world.sources == {"10.0.0.1": ONE, "fe80::1": TWO}
    assert world.aggregates == {AGGREGATE: (ONE,)}
    assert world.inventory.has_been_read()


def test_a_pass_without_a_difference_changes_nothing(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.odim.devices = {device("10.0.0.1", ONE)}
    world.odim.aggregates = {AGGREGATE: json.dumps({"Elements": []})}
    world.read()
    generation = world.state.generation

    world.read(after_s=30)
    world.restart()
    world.read(after_s=30)

    assert world.state.generation == generation


def test_where_nothing_has_changed_on_either_side_nothing_is_compared_and_that_it_was_read_is_told(
    world: FollowedOdim,
) -> None:
    world.odim.subscriptions = {THEIRS.row(), "nonsense"}
    world.odim.devices = {device("10.0.0.1", ONE)}
    world.read()
    world.read()
    report, count = world.report, world.store.comparison_count

    world.read(after_s=30)

    assert world.store.comparison_count == count
    assert world.inventory.last_reading() == (1_030_000, json.dumps(report))


def test_a_row_with_another_location_changes_nothing(world: FollowedOdim) -> None:
    world.odim.devices = {device("10.0.0.1", ONE)}
    world.read()
    generation = world.state.generation
    world.odim.devices = {device("10.0.0.1", ONE, "2")}

    world.read()

    assert world.state.generation == generation


def test_what_is_said_differently_is_replaced(world: FollowedOdim) -> None:
    world.odim.devices = {device("10.0.0.1", ONE), device("10.0.0.2", ONE)}
    world.odim.aggregates = {AGGREGATE: json.dumps({"Elements": [ONE]})}
    world.read()
    world.odim.devices = {device("10.0.0.1", TWO), device("10.0.0.2", ONE)}
    world.odim.aggregates = {AGGREGATE: json.dumps({"Elements": [ONE, TWO]})}

    world.read()

    assert world.sources == {"10.0.0.1": TWO, "10.0.0.2": ONE}
    assert world.aggregates == {AGGREGATE: (ONE, TWO)}


def test_what_somebody_else_changed_here_is_put_right(world: FollowedOdim) -> None:
    world.odim.devices = {device("10.0.0.1", ONE)}
    world.read()
    world.inventory.change(Keeper.ODIM, InventoryChange(sources={"10.0.0.1": None, "10.0.0.9": TWO}))

    world.read()
    assert world.sources == {"10.0.0.1": ONE, "10.0.0.9": TWO}
    world.read(after_s=60)
    assert world.sources == {"10.0.0.1": ONE}


def test_what_is_our_own_is_left_alone(world: FollowedOdim) -> None:
    own = InventoryContent(sources={"10.0.0.1": TWO}, aggregates={AGGREGATE: (TWO,)})
    world.inventory.replace(Keeper.OWN, own)
    world.store.save(Subscription(subscription_id=OTHER, destination="https://own.example/"))
    world.odim.devices = {device("10.0.0.1", ONE)}

    assert world.read() is None, "nothing of ours is missing there"
    world.read(after_s=120)

    assert world.inventory.content(Keeper.OWN) == own
    assert world.store.ids() == [OTHER]


# --- what is missing ---


def test_a_thousand_rows_that_are_written_anew_lose_nothing(world: FollowedOdim) -> None:
    rows = {f"10.0.{number // 250}.{number % 250}": f"/redfish/v1/Systems/s{number}.1" for number in range(1_000)}
    world.odim.devices = {device(host, origin) for host, origin in rows.items()}
    world.read()
    version = world.inventory.version()

    for host, origin in rows.items():
        world.odim.devices.remove(device(host, origin))
        if int(host.rpartition(".")[2]) % 50 == 0:
            assert world.read(after_s=0.1) is not None
        world.odim.devices.add(device(host, origin, "anew"))
    world.read(after_s=0.1)

    assert world.sources == rows
    assert world.inventory.version() == version


@pytest.mark.parametrize("is_everything", [True, False])
def test_a_source_that_is_missing_for_a_minute_is_gone_even_where_all_are(
    world: FollowedOdim, *, is_everything: bool
) -> None:
    rows = {device("10.0.0.1", ONE), device("10.0.0.2", TWO)}
    world.odim.devices = set(rows)
    world.read()
    world.odim.devices = set() if is_everything else {device("10.0.0.2", TWO)}

    due_at_s = world.read()
    assert due_at_s == world.now_s + 60
    world.read(after_s=59)
    assert set(world.sources) == {"10.0.0.1", "10.0.0.2"}
    world.read(after_s=1)

    assert set(world.sources) == (set() if is_everything else {"10.0.0.2"})


def test_a_machine_that_is_missing_for_a_moment_stays_in_the_aggregates_that_are_told_by_addresses(
    world: FollowedOdim,
) -> None:
    world.odim.devices = {device("10.0.0.1", ONE)}
    world.odim.aggregate_hosts = {"a||[10.0.0.1]"}
    world.read()
    world.odim.devices = set()

    world.read()
    assert world.aggregates == {AGGREGATE: (ONE,)}
    world.read(after_s=60)
    world.read()
    assert world.aggregates == {AGGREGATE: ()}


def test_an_aggregate_that_is_missing_for_a_minute_is_gone(world: FollowedOdim) -> None:
    world.odim.aggregates = {AGGREGATE: json.dumps({"Elements": [ONE]})}
    world.read()
    world.odim.aggregates = {}

    world.read()
    world.read(after_s=59)
    assert world.aggregates == {AGGREGATE: (ONE,)}
    world.read(after_s=1)
    assert world.aggregates == {}


def test_a_subscription_that_is_missing_for_three_seconds_is_gone(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row(), replace(THEIRS, id=OTHER).row()}
    world.read()
    world.odim.subscriptions = {replace(THEIRS, id=OTHER).row()}

    assert world.read() == world.now_s + 3
    world.read(after_s=2.9)
    assert world.store.get(ID) is not None
    assert world.read(after_s=0.1) is None

    assert world.store.get(ID) is None
    assert world.store.get(OTHER) is not None


def test_subscriptions_of_which_most_are_missing_at_once_stay_for_a_minute(world: FollowedOdim) -> None:
    rows = [replace(THEIRS, id=f"{number:08}-42a4-4335-b1c1-41540a4b65d7").row() for number in range(12)]
    world.odim.subscriptions = set(rows)
    world.read()
    world.odim.subscriptions = set(rows[:2])

    world.read()
    world.read(after_s=30)
    assert world.store.count() == 12
    world.read(after_s=30)
    assert world.store.count() == 2


def test_after_an_outage_the_grace_begins_anew(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.read()
    world.odim.subscriptions = set()
    world.read()
    world.mirror.forget_absences()

    world.read(after_s=3_600)
    assert world.store.get(ID) is not None


def test_while_odims_redis_is_away_everything_stays(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.odim.devices = {device("10.0.0.1", ONE)}
    world.read()
    world.odim.failure = TransientError("Redis failed")

    with pytest.raises(TransientError):
        world.read(after_s=3_600)

    assert world.store.get(ID) is not None
    assert world.sources == {"10.0.0.1": ONE}


# --- what is told ---


def test_what_was_read_and_what_cannot_be_used_is_counted(world: FollowedOdim) -> None:
    default = OdimSubscription(id="0", destination="", event_types=("Alert",)).row()
    world.odim.subscriptions = {THEIRS.row(), default, "nonsense"}
    world.odim.devices = {device("10.0.0.1", ONE), "x", "y", "SystemsCollection||||[/redfish/v1/Systems]"}
    world.odim.aggregate_hosts = {"a||[]"}
    world.odim.aggregates = {AGGREGATE: "{}"}

    world.read()

    assert world.report == {
        "rows": {"subscriptions": 3, "devices": 4, "aggregate_hosts": 1, "aggregates": 1},
        "skipped": {"default_subscription": 1, "no_elements": 1, "not_a_row": 2, "not_json": 1},
    }


def skipped(logs: Logs) -> list[str]:
    return [line["detail"] for line in logs if line["event"] == "odim.row_skipped"]


def test_each_flaw_is_logged_once_while_it_lasts(world: FollowedOdim, logs: Logs) -> None:
    world.odim.devices = {"x"}
    world.read()
    world.odim.devices = {"x", "y"}
    world.read()
    world.read()
    assert [detail[:3] for detail in skipped(logs)] == ["'x'", "'y'"]

    world.odim.devices = {"y"}
    world.read()
    world.odim.devices = {"x", "y"}
    world.read()
    assert [detail[:3] for detail in skipped(logs)] == ["'x'", "'y'", "'x'"]


def test_very_many_flaws_are_logged_as_a_number(world: FollowedOdim, logs: Logs) -> None:
    world.odim.devices = {f"row {number}" for number in range(1_000)}
    world.read()
    world.read()
    assert len(skipped(logs)) == 20
    assert [line["count"] for line in logs if line["event"] == "odim.more_rows_skipped"] == [980]


def test_the_default_subscription_is_nothing_to_warn_of_and_a_difference_is(world: FollowedOdim, logs: Logs) -> None:
    world.odim.subscriptions = {
        OdimSubscription(id="0", destination="").row(),
        replace(THEIRS, retry_policy="TerminateAfterRetries").row(),
    }
    world.read()
    world.read()
    assert skipped(logs) == []
    (told,) = [line["detail"] for line in logs if line["event"] == "odim.row_differs"]
    assert told == f"{ID}: DeliveryRetryPolicy is SuspendRetries instead of TerminateAfterRetries"
    found = world.store.get(ID)
    assert found is not None
    assert found.retry_policy is RetryPolicy.SUSPEND


def test_a_store_that_fails_halfway_is_finished_by_the_next_pass(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.odim.devices = {device("10.0.0.1", ONE)}

    world.inventory.is_failing = True
    with pytest.raises(TransientError):
        world.read()
    assert not world.inventory.has_been_read()
    world.inventory.is_failing = False
    world.read()
    assert world.sources == {"10.0.0.1": ONE}
    assert world.inventory.has_been_read()
