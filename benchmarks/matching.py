"""
What it costs to match an event with 100, 1,000 and 10,000 subscriptions, the same number of which want it.

    python -m benchmarks.matching
"""

import platform
from collections.abc import Callable
from datetime import UTC, datetime
from time import process_time
from timeit import repeat

from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.domain.matching import Matcher
from odim_relay.domain.subscription import Filters, Subscription

COUNTS = (100, 1_000, 10_000)
WANTING = 10
TYPES = ("ComputerSystem", "Processor", "Memory", "Drive", "Volume", "Port", "Task", "Sensor", "PowerSupply", "Fan")
SEVERITIES = ("OK", "Warning", "Critical")
ORIGIN = "/redfish/v1/Systems/wanted/Storage/1/Volumes/7"
RECORD = EventRecord(
    event_type="Alert",
    message_id="StorageDevice.VolumeDegraded",
    registry="StorageDevice",
    severity="Warning",
    origin=ORIGIN,
    resource_type="Volume",
)


def by_origin(number: int) -> Filters:
    return Filters(origin_resources=(f"/redfish/v1/Systems/{number}",), subordinate_resources=True)


def by_message(number: int) -> Filters:
    return Filters(message_ids=(f"Registry{number % 50}.1.0.Message{number}",), severities=("Warning",))


def by_type_in_one_system(number: int) -> Filters:
    return Filters(
        resource_types=(TYPES[number % len(TYPES)],),
        origin_resources=(f"/redfish/v1/Systems/{number // len(TYPES)}",),
        subordinate_resources=True,
    )


def by_type_and_message(number: int) -> Filters:
    return Filters(
        origin_resources=("/redfish/v1/Systems",),
        subordinate_resources=True,
        resource_types=(TYPES[number % len(TYPES)],),
        severities=(SEVERITIES[number % len(SEVERITIES)],),
        registry_prefixes=(f"Registry{number}",),
    )


def by_values_that_many_share(number: int) -> Filters:
    return Filters(
        resource_types=("Volume" if number % 10 == 0 else TYPES[number % 4],),
        severities=("Warning" if number % 4 == 0 else "Critical",),
        event_types=("Other",),
    )


def mixed(number: int) -> Filters:
    return (by_origin, by_message, by_type_in_one_system, by_type_and_message)[number % 4](number)


MIXES: tuple[Callable[[int], Filters], ...] = (
    by_origin,
    by_message,
    by_type_in_one_system,
    by_type_and_message,
    by_values_that_many_share,
    mixed,
)


def wanting(number: int) -> Filters:
    return (
        Filters(),
        Filters(origin_resources=("/redfish/v1/Systems/wanted/",), subordinate_resources=True),
        Filters(message_ids=("StorageDevice.1.5.VolumeDegraded",)),
        Filters(resource_types=("Volume",), origin_resources=(ORIGIN,)),
        Filters(event_types=("Alert",), severities=("Warning",), registry_prefixes=("StorageDevice",)),
    )[number % 5]


def subscriptions(count: int, others: Callable[[int], Filters]) -> list[Subscription]:
    return [
        Subscription(
            subscription_id=f"{number:036}",
            destination="https://subscriber.example/events",
            filters=wanting(number) if number < WANTING else others(number),
        )
        for number in range(count)
    ]


def cost_us(matcher: Matcher, event: Event) -> float:
    rounds = max(1, 20_000 // len(event.records))
    return min(repeat(lambda: matcher.match(event), timer=process_time, number=rounds, repeat=5)) / rounds * 1e6


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}")
    print(f"{WANTING} subscriptions want each event; microseconds of CPU per event\n")
    print(f"{'the others ask':28}{'records':>8}" + "".join(f"{count:>10,}" for count in COUNTS) + "   ratio")
    for records in (1, 200):
        event = Event(format=EventFormat.EVENT, payload=b"", records=(RECORD,) * records)
        for others in MIXES:
            costs = [cost_us(Matcher.of(subscriptions(count, others)), event) for count in COUNTS]
            cells = "".join(f"{cost:>10.1f}" for cost in costs)
            print(f"{others.__name__:28}{records:>8}{cells}{costs[-1] / costs[0]:>8.2f}")
    everything = subscriptions(COUNTS[-1], mixed)
    matcher = Matcher.of(everything)
    made = min(repeat(lambda: Matcher.of(everything), timer=process_time, number=1, repeat=3))
    changed = min(repeat(lambda: matcher.changed(saved=everything[:1]), timer=process_time, number=1, repeat=3))
    print(f"\nindex of {COUNTS[-1]:,}: {made * 1e3:.0f} ms; after one change: {changed * 1e3:.0f} ms")
    few = Matcher.of(subscriptions(5, mixed))
    one = Event(format=EventFormat.EVENT, payload=b"", records=(RECORD,))
    print(f"5 subscriptions, all wanting: {cost_us(few, one):.1f} us")


if __name__ == "__main__":
    main()
