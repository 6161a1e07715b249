"""
An ODIM installation of any size, made up: servers, aggregates, and subscribers of every kind.
"""

import uuid
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address
from random import Random
from typing import Any

from tests.support.odim_redis import OdimSubscription
from tests.support.odim_reference import AGGREGATES

EVENT_TYPES = ("Alert", "StatusChange", "ResourceUpdated", "ResourceAdded", "ResourceRemoved", "Other")
MESSAGES = tuple(
    f"{registry}.1.{minor}.0.{key}"
    for registry, minor, key in (
        ("ResourceEvent", 2, "ResourceChanged"),
        ("ResourceEvent", 2, "ResourceErrorsDetected"),
        ("iLOEvents", 2, "ServerPoweredOn"),
        ("iLOEvents", 2, "ServerPoweredOff"),
        ("iLOEvents", 2, "ServerPostComplete"),
        ("iLOEvents", 3, "IndicatorLEDStateChanged"),
        ("StorageDevice", 1, "DriveFailure"),
        ("StorageDevice", 1, "VolumeDegraded"),
        ("Environmental", 0, "TemperatureAboveUpperCautionThreshold"),
        ("TaskEvent", 0, "TaskCompletedOK"),
    )
)
TYPES = (
    "ComputerSystem",
    "Processor",
    "Memory",
    "Volume",
    "Bios",
    "EthernetInterface",
    "Chassis",
    "Thermal",
    "Manager",
    "Task",
)
COLLECTIONS = (
    "/redfish/v1/Systems",
    "/redfish/v1/Chassis",
    "/redfish/v1/Managers",
    "/redfish/v1/Fabrics",
    "/redfish/v1/TaskService/Tasks",
)


class MadeUp:
    """
    Draws an installation; the same seed makes the same.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - not for secrets

    def id(self) -> str:
        """
        A UUID.
        """
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def devices(self, count: int) -> dict[str, str]:
        """
        Servers by their addresses: IPv4, and some IPv6 and some names.
        """

        def address(number: int) -> str:
            match number % 10:
                case 0:
                    return str(IPv6Address((0xFD00 << 112) + (0xABCD << 16) + number))
                case 1:
                    return f"bmc-{number}.rack.example"
                case _:
                    return f"10.{24 + number // 60_000}.{number // 240 % 250}.{number % 240 + 1}"

        return {address(number): f"/redfish/v1/Systems/{self.id()}.1" for number in range(count)}

    def aggregates(self, count: int, systems: Sequence[str]) -> dict[str, list[str]]:
        """
        Sets of servers that overlap; the first is empty.
        """
        sizes = [0, *(self._random.randint(5, 40) for _ in range(count - 1))]
        return {self.id(): self._random.sample(systems, min(size, len(systems))) for size in sizes}

    def subscriptions(
        self, count: int, systems: Sequence[str], aggregates: Sequence[str], url: Callable[[str], str]
    ) -> list[OdimSubscription]:
        """
        Subscribers of every kind, most of them for few events. `url` makes a destination of a path.
        """
        kinds = (
            self._of_hosts,
            self._of_hosts,
            self._of_aggregates,
            self._of_aggregates,
            self._of_collections,
            self._of_all,
        )
        made = []
        for number in range(count):
            if number == 0:
                members: dict[str, Any] = {}  # everything
            elif number % 40 == 1:
                members = self._of_reports(number)
            else:
                members = kinds[number % len(kinds)](systems, aggregates)
            path = f"/subscriber/{number}" + ("?a=1&b=2" if number % 7 == 0 else "")
            context = f"of {number} & <co>" if number % 3 else ""
            made.append(OdimSubscription(id=self.id(), destination=url(path), name=path, context=context, **members))
        return made

    def _of_hosts(self, systems: Sequence[str], _: Sequence[str]) -> dict[str, Any]:
        origins = self._random.sample(systems, self._random.randint(1, 6))
        if self._random.random() < 0.3:
            origins = [origins[0].replace("Systems", "Chassis"), *origins[1:]]
        return {
            "origin_resources": tuple(origins),
            "subordinate_resources": self._random.random() < 0.7,
            **(self._filter() if self._random.random() < 0.4 else {}),
        }

    def _of_aggregates(self, systems: Sequence[str], aggregates: Sequence[str]) -> dict[str, Any]:
        origins = [AGGREGATES + id_ for id_ in self._random.sample(aggregates, self._random.randint(1, 3))]
        if self._random.random() < 0.3:
            origins.append(self._random.choice(systems))
        return {
            "origin_resources": tuple(origins),
            "subordinate_resources": self._random.random() < 0.8,
            **(self._filter() if self._random.random() < 0.5 else {}),
        }

    def _of_collections(self, systems: Sequence[str], _: Sequence[str]) -> dict[str, Any]:
        origins = self._random.sample(COLLECTIONS, self._random.randint(1, 3))
        if self._random.random() < 0.3:
            origins.append(self._random.choice(systems))
        is_below = self._random.random() < 0.7
        return {
            "origin_resources": tuple(origins),
            "subordinate_resources": is_below,
            **(self._narrow_filter() if is_below else {}),
        }

    def _of_all(self, _: Sequence[str], __: Sequence[str]) -> dict[str, Any]:
        return self._narrow_filter()

    def _of_reports(self, number: int) -> dict[str, Any]:
        if number % 80 == 1:
            return {"event_format": "MetricReport", "event_types": ("MetricReport",)}
        return {"event_types": ("MetricReport", "ResourceRemoved"), "resource_types": ("Manager",)}

    def _filter(self) -> dict[str, Any]:
        filters: list[dict[str, Any]] = [
            {"event_types": tuple(self._random.sample(EVENT_TYPES, 2))},
            {"message_ids": tuple(self._other_version(one) for one in self._random.sample(MESSAGES, 3))},
            {"resource_types": tuple(self._random.sample(TYPES, 3))},
        ]
        return self._random.choice(filters)

    def _narrow_filter(self) -> dict[str, Any]:
        return {
            "event_types": (self._random.choice(EVENT_TYPES),),
            "message_ids": tuple(self._other_version(one) for one in self._random.sample(MESSAGES, 2)),
            "resource_types": tuple(self._random.sample(TYPES, 2)) if self._random.random() < 0.8 else (),
        }

    def _other_version(self, message_id: str) -> str:
        # Which version of the registry a subscriber has seen says nothing.
        registry, *_, key = message_id.split(".")
        return f"{registry}.{self._random.randint(1, 3)}.{self._random.randint(0, 9)}.{key}"
