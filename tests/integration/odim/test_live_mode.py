"""
ODIM's tables, followed live from one real Redis into another.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from odim_relay import bootstrap
from odim_relay.bridge.following import Following
from odim_relay.bridge.process import following
from odim_relay.domain.keeper import Keeper
from odim_relay.errors import TransientError
from tests.support.command_line import as_before
from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

A, B = (f"{number}ce177bf-42a4-4335-b1c1-41540a4b65d7" for number in (1, 2))
THEIRS = OdimSubscription(id=A, destination="https://192.0.2.1/d?a=1&b=2", event_types=("Alert",))
NEVER_S = 86_400
OFTEN_S = 0.5
LIMIT_S = 60.0


def origin(number: int) -> str:
    return f"/redfish/v1/Systems/00000000-0000-4000-8000-{number:012}.1"


def address(number: int) -> str:
    return f"10.{number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


@dataclass(frozen=True, slots=True)
class World:
    """
    An ODIM, and our stores by the process's own settings.
    """

    server: RedisServer
    odim: OdimRedis
    setenv: Callable[[str, str], None]

    @contextmanager
    def followed(self, interval_s: float = NEVER_S) -> Iterator[Following]:
        """
        Follow ODIM until the end of the block.
        """
        self.setenv("ODIM_RELAY_ODIM__READ_INTERVAL_S", str(interval_s))
        with as_before(), following() as follower:
            assert follower.wait_until_read()
            yield follower

    def waits_for(self, condition: Callable[[], object], what: str) -> None:
        wait_until(condition, timeout_s=LIMIT_S, what=what)

    @property
    def sources(self) -> dict[str, str]:
        return dict(bootstrap.inventory_store().content(Keeper.ODIM).sources)


@pytest.fixture
def world(
    redis_server: RedisServer, key_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    with RedisServer(tmp_path / "odim") as theirs:
        monkeypatch.setenv("ODIM_RELAY_REDIS__URL", redis_server.url())
        monkeypatch.setenv("ODIM_RELAY_REDIS__KEY_PREFIX", key_prefix)
        monkeypatch.setenv("ODIM_RELAY_ODIM__REDIS_URL", theirs.url())
        yield World(theirs, OdimRedis(theirs), monkeypatch.setenv)


def destination_of(id_: str) -> str | None:
    found = bootstrap.subscription_store().get(id_)
    return None if found is None else found.destination


def test_what_odim_does_to_its_subscriptions_is_done_here_soon_after(world: World) -> None:
    world.odim.turn_on_notifications()
    with world.followed():
        world.odim.subscribe(THEIRS)
        world.waits_for(lambda: destination_of(A) == THEIRS.destination, "the subscription to be here")

        world.odim.subscribe(replace(THEIRS, destination="https://192.0.2.2/"))
        world.waits_for(lambda: destination_of(A) == "https://192.0.2.2/", "the change to be here")

        world.odim.unsubscribe(A)
        world.waits_for(lambda: destination_of(A) is None, "the subscription to be gone")


def test_what_odim_does_to_its_inventory_is_done_here_soon_after(world: World) -> None:
    world.odim.turn_on_notifications()
    with world.followed():
        world.odim.put_devices({address(1): [origin(1)], "[2001:DB8::1]:443": [origin(2)]})
        world.odim.put_aggregate("a", [origin(1)], [address(1)])
        expected = {address(1): origin(1), "2001:db8::1": origin(2)}
        world.waits_for(lambda: world.sources == expected, "the sources to be here")
        store = bootstrap.inventory_store()
        world.waits_for(lambda: store.content(Keeper.ODIM).aggregates, "the aggregate to be here")
        _, inventory = store.read()
        assert inventory.origin_of("2001:db8:0::1") == origin(2)
        assert list(inventory.aggregates) == [origin(1)]


def test_without_notifications_a_change_is_found_when_all_is_read(world: World) -> None:
    with world.followed(OFTEN_S):
        world.odim.subscribe(THEIRS)
        world.waits_for(lambda: destination_of(A), "the subscription to be here")
        world.odim.unsubscribe(A)
        world.waits_for(lambda: destination_of(A) is None, "the subscription to be gone")


def test_rows_that_are_written_anew_are_never_missing_here(world: World) -> None:
    world.odim.turn_on_notifications()
    addresses = [address(number) for number in range(1_000)]
    world.odim.put_devices({one: [origin(number)] for number, one in enumerate(addresses)})
    world.odim.subscribe(THEIRS)
    with world.followed(OFTEN_S):
        world.waits_for(lambda: len(world.sources) == 1_000, "all sources to be here")
        world.waits_for(lambda: destination_of(A), "the subscription to be here")
        version = bootstrap.inventory_store().version()
        for number in range(0, 1_000, 100):
            world.odim.rewrite_devices(addresses[number : number + 100])
            world.odim.subscribe(replace(THEIRS, name=f"name {number}"))
            assert len(world.sources) == 1_000
            assert destination_of(A) == THEIRS.destination
        world.waits_for(lambda: name_of(A) == "name 900", "the last change to be here")
        assert bootstrap.inventory_store().version() == version


def name_of(id_: str) -> str | None:
    found = bootstrap.subscription_store().get(id_)
    return None if found is None else found.name


def test_while_odims_redis_is_away_or_hangs_what_was_read_last_stays_and_then_it_goes_on(world: World) -> None:
    world.odim.turn_on_notifications()
    world.odim.put_devices({address(1): [origin(1)]})
    world.odim.subscribe(THEIRS)
    with world.followed(OFTEN_S):
        world.waits_for(lambda: destination_of(A), "the subscription to be here")
        for break_it, mend_it in (
            (world.server.kill, world.server.start),
            (world.server.stop, world.server.cont),
        ):
            break_it()
            world.waits_for(is_odim_away, "the outage to be noticed")
            assert destination_of(A) == THEIRS.destination
            assert world.sources == {address(1): origin(1)}
            mend_it()
            name = f"after {mend_it.__name__}"
            world.odim.subscribe(replace(THEIRS, name=name))
            world.waits_for(lambda name=name: name_of(A) == name, "the change to be here")  # type: ignore[misc]


def is_odim_away() -> bool:
    try:
        bootstrap.odim_store().ping()
    except TransientError:
        return True
    return False


def test_the_last_good_view_serves_after_a_restart_of_ours_too(world: World) -> None:
    world.odim.subscribe(THEIRS)
    with world.followed():
        assert destination_of(A)
    world.server.kill()
    with world.followed():
        assert destination_of(A) == THEIRS.destination


def test_of_two_who_follow_one_reads_and_the_other_takes_over(world: World) -> None:
    world.odim.turn_on_notifications()
    with world.followed(OFTEN_S) as first, following() as second:
        assert second.wait_until_read()
        world.odim.subscribe(THEIRS)
        world.waits_for(lambda: destination_of(A), "the subscription to be here")
        first.stop()
        world.odim.subscribe(replace(THEIRS, id=B))
        world.waits_for(lambda: destination_of(B), "the other subscription to be here")
