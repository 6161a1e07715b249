"""
ODIM as its Redis shows it: the rows that its services write, in the steps in which they write them.

Source: ODIM 23.08, lib-persistence-manager/persistencemgr/redis.go and svc-events/evmodel/events.go.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.redis_server import RedisServer

_GO_ESCAPES = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_COLLECTIONS = {
    "/redfish/v1/Systems": "SystemsCollection",
    "/redfish/v1/Chassis": "ChassisCollection",
    "/redfish/v1/Managers": "ManagerCollection",
    "/redfish/v1/Fabrics": "FabricsCollection",
    "/redfish/v1/TaskService/Tasks": "TasksCollection",
}
_AGGREGATES = "/redfish/v1/AggregationService/Aggregates/"


def go_json(value: object) -> str:
    """
    JSON as Go's encoding/json writes it: without spaces, and `&`, `<`, `>` as escapes.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return "".join(_GO_ESCAPES.get(letter, letter) for letter in text)


def device_row(address: str, origins: Iterable[str]) -> str:
    """
    A member of `DeviceSubscription`: the address, the BMC's own subscription, and what the address stands for.
    """
    return f"{address}||{_location(address)}||[{' '.join(origins)}]"


def aggregate_document(elements: Iterable[str]) -> str:
    """
    What stands at the key of an aggregate.
    """
    return go_json({"Elements": [{"@odata.id": element} for element in elements]})


def _location(address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"https://{host}/redfish/v1/EventService/Subscriptions/{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdimSubscription:
    """
    What somebody has subscribed to at ODIM, as far as ODIM keeps it.
    """

    id: str
    destination: str
    name: str = "subscription"
    context: str = ""
    event_types: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    event_format: str = ""
    origin_resources: tuple[str, ...] = ()
    subordinate_resources: bool = False
    retry_policy: str = ""

    def row(self, hosts: Iterable[str] = ()) -> str:
        """
        The member of the sorted set: Go leaves out what is empty, but for the members that are always there.
        """
        body: dict[str, Any] = {
            "@odata.id": "",
            "@odata.type": "",
            "Context": self.context,
            "DeliveryRetryPolicy": self.retry_policy or None,
            "Destination": self.destination,
            "EventFormatType": self.event_format or None,
            "EventTypes": list(self.event_types) or None,
            "Id": "",
            "MessageIds": list(self.message_ids) or None,
            "Name": self.name,
            "OEMSubscriptionType": "",
            "OriginResources": [{"@odata.id": uri} for uri in self.origin_resources] or None,
            "Protocol": "Redfish",
            "ResourceTypes": list(self.resource_types) or None,
            "SubordinateResources": self.subordinate_resources or None,
            "SubscriptionType": "RedfishEvent",
        }
        return go_json(
            {
                "EventDestination": {name: value for name, value in body.items() if value is not None},
                "Hosts": list(hosts),
                "SubscriptionID": self.id,
                "UserName": "admin",
            }
        )


class OdimRedis:
    """
    ODIM's on-disk Redis. Each change is made as ODIM makes it: a row is taken out, then put in anew.
    """

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self._subscriptions: dict[str, str] = {}
        self._devices: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._aggregates: dict[str, str] = {}

    def turn_on_notifications(self) -> None:
        """
        As ODIM's event service does at its start, and only then.
        """
        with self.server.client() as client:
            client.config_set("notify-keyspace-events", "Kz")

    def put_own_rows(self) -> None:
        """
        What stands there from the start: a subscription of nobody's, and rows that are no device's.
        """
        self.subscribe(OdimSubscription(id="0", destination="", event_types=("Alert",), subordinate_resources=True))
        for collection, host in _COLLECTIONS.items():
            self.put_row("DeviceSubscription", f"{host}||||[{collection}]")

    # --- devices ---

    def put_devices(self, origins: Mapping[str, Sequence[str]]) -> None:
        """
        Many at once, as they stand there: the origins of each address.
        """
        rows = {address: device_row(address, listed) for address, listed in origins.items()}
        self._addresses |= {origin: address for address, listed in origins.items() for origin in listed}
        with self.server.client() as client:
            client.zadd("DeviceSubscription", dict.fromkeys(rows.values(), 0))
        self._devices |= rows

    def rewrite_devices(self, addresses: Iterable[str]) -> None:
        """
        Subscribe anew at each device: it gives another location, and its row is replaced by one with that.
        """
        with self.server.client() as client:
            for address in addresses:
                old = self._devices[address]
                host, _, rest = old.partition("||")
                origins = rest.rpartition("||")[2]
                new = f"{host}||{_location(host)}||{origins}"
                client.zrem("DeviceSubscription", old)
                client.zadd("DeviceSubscription", {new: 0})
                self._devices[address] = new

    def remove_device(self, address: str) -> None:
        """
        Take a device's row out for good.
        """
        with self.server.client() as client:
            client.zrem("DeviceSubscription", self._devices.pop(address))

    # --- aggregates ---

    def put_aggregate(self, id_: str, elements: Iterable[str], hosts: Iterable[str] = ()) -> None:
        """
        Write an aggregate's document, and its row of addresses in the place of the one before.
        """
        row = f"{id_}||[{' '.join(hosts)}]"
        old = self._aggregates.get(id_)
        with self.server.client() as client:
            client.set(f"Aggregate:{_AGGREGATES}{id_}", aggregate_document(elements))
            if old is not None:
                client.zrem("AggregateToHost", old)
            client.zadd("AggregateToHost", {row: 0})
        self._aggregates[id_] = row

    # --- subscriptions ---

    def subscribe(self, *subscriptions: OdimSubscription) -> None:
        """
        Put subscriptions in, or in the place of those of the same ids.
        """
        with self.server.client() as client:
            for subscription in subscriptions:
                row = subscription.row(self._hosts_of(subscription))
                # Both steps at once: a test that is held up between them would leave it out for seconds, as ODIM never
                # does. `without_rows` stands between them.
                steps = client.pipeline(transaction=False)
                if subscription.id in self._subscriptions:
                    steps.zrem("Subscription", self._subscriptions[subscription.id])
                steps.zadd("Subscription", {row: 0})
                steps.execute()
                self._subscriptions[subscription.id] = row

    def unsubscribe(self, id_: str) -> None:
        """
        Take a subscription out for good.
        """
        with self.server.client() as client:
            client.zrem("Subscription", self._subscriptions.pop(id_))

    @contextmanager
    def without_rows(self, addresses: Iterable[str], subscription_ids: Iterable[str]) -> Iterator[None]:
        """
        Stand between taking rows out and putting them in again.
        """
        devices = [self._devices[address] for address in addresses]
        subscriptions = [self._subscriptions[id_] for id_ in subscription_ids]
        with self.server.client() as client:
            client.zrem("DeviceSubscription", *devices)
            client.zrem("Subscription", *subscriptions)
            yield
            client.zadd("DeviceSubscription", dict.fromkeys(devices, 0))
            client.zadd("Subscription", dict.fromkeys(subscriptions, 0))

    def put_row(self, table: str, member: str) -> None:
        """
        Any row, as it is.
        """
        with self.server.client() as client:
            client.zadd(table, {member: 0})

    def _hosts_of(self, subscription: OdimSubscription) -> list[str]:
        """
        By what ODIM finds a subscription: the address of each origin's device, or the name of what it is instead.
        """
        hosts = []
        for uri in subscription.origin_resources:
            if uri in _COLLECTIONS:
                hosts.append(_COLLECTIONS[uri])
            elif uri.startswith(_AGGREGATES):
                hosts.append(uri.removeprefix(_AGGREGATES))
            elif uri in self._addresses:
                hosts.append(self._addresses[uri])
        return hosts

    # --- events that could not be delivered ---

    def put_undelivered(self, destination: str, payload: bytes) -> str:
        """
        Keep an event as ODIM does when its destination could not be reached; returns the key.
        """
        key = f"UndeliveredEvents:{destination}:{uuid.uuid4()}"
        with self.server.client() as client:
            client.set(key, payload)
        return key
