"""
What plugins say in an installation that is made up, and ODIM itself: in every way in which they are known to say it.
"""

import base64
import json
from collections.abc import Iterator
from ipaddress import IPv6Address
from random import Random
from typing import Any

from tests.support.odim_installation import EVENT_TYPES, MESSAGES
from tests.support.odim_reference import Installation, Said

BELOW_SYSTEM = (
    "",
    "",
    "/",
    "/Processors/CPU0",
    "/Memory/DIMM7",
    "/Storage/DE07/Volumes/1",
    "/Bios",
    "/EthernetInterfaces/2",
)
BELOW_CHASSIS = ("", "/", "/Thermal", "/Power")
PSEUDO_HOSTS = ("SystemsCollection", "ChassisCollection", "ManagerCollection", "FabricsCollection", "TasksCollection")


class Plugins:
    """
    Draws events; the same seed draws the same.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - not for secrets
        self._numbers = iter(range(10**9))

    def events(self, count: int, installation: Installation) -> Iterator[Said]:
        """
        What plugins say, and ODIM itself: of known and unknown machines, of no machine, and reports.
        """
        addresses = list(installation.devices)
        for _ in range(count):
            number = next(self._numbers)
            draw = self._random.random()
            if draw < 0.03:
                ip, is_machine = f"172.31.{number % 250}.{number % 199 + 1}:45002", True
            elif draw < 0.06:
                ip, is_machine = self._random.choice(PSEUDO_HOSTS), False
            else:
                ip, is_machine = self._spelled(self._random.choice(addresses)), True
            is_report = is_machine and self._random.random() < 0.03
            body = self._report(number) if is_report else self._event(number, installation, is_machine=is_machine)
            yield Said(ip, body if self._random.random() < 0.1 else _as_a_plugin_says(body))

    def _spelled(self, address: str) -> str:
        if ":" in address:
            spelled = self._random.choice([address, address.upper(), IPv6Address(address).exploded])
            return self._random.choice([spelled, f"[{spelled}]:443"]) if self._random.random() < 0.7 else f"[{spelled}]"
        return self._random.choice([address, f"{address}:443", address.upper()])

    def _event(self, number: int, installation: Installation, *, is_machine: bool) -> dict[str, Any]:
        count = self._random.choice([0, 2, 3, 4]) if self._random.random() < 0.15 else 1
        return {
            "@odata.type": "#Event.v1_7_0.Event",
            "@odata.context": "/redfish/v1/$metadata#Event.Event",
            "Id": str(number),
            "Name": "Events",
            "Events": [
                self._record(f"{number}-{place}", place, installation, is_machine=is_machine) for place in range(count)
            ],
        }

    def _record(self, event_id: str, place: int, installation: Installation, *, is_machine: bool) -> dict[str, Any]:
        record: dict[str, Any] = {
            "MemberId": str(place),
            "EventType": self._random.choice(EVENT_TYPES),
            "EventId": event_id,
            "Severity": self._random.choice(["OK", "Warning", "Critical"]),
            "EventTimestamp": "2026-11-25T07:00:00Z",
            "Message": self._random.choice(["Something <changed> & ODIM saw it", 'a "quoted" \\ text', ""]),
            "MessageId": self._random.choice(MESSAGES),
            "MessageArgs": ["ODIM", "Off"],
            "OriginOfCondition": {"@odata.id": self._origin(installation, is_machine=is_machine)},
        }
        if self._random.random() < 0.04:
            del record["EventType"]
        if is_machine:
            self._spoil_origin(record)
        return record

    def _origin(self, installation: Installation, *, is_machine: bool) -> str:
        if is_machine:
            return self._random.choice(
                [f"/redfish/v1/Systems/1{self._random.choice(BELOW_SYSTEM)}"] * 4
                + [f"/redfish/v1/Chassis/1{self._random.choice(BELOW_CHASSIS)}", "/redfish/v1/Managers/1"]
            )
        # What ODIM says itself it says by its own names.
        system = self._random.choice(list(installation.devices.values()))
        return self._random.choice(
            [
                system,
                system.replace("Systems", "Chassis"),
                "/redfish/v1/Systems",
                "/redfish/v1/Fabrics/F1/Switches/2",
                f"/redfish/v1/TaskService/Tasks/task{self._random.randint(1, 99)}",
            ]
        )

    def _spoil_origin(self, record: dict[str, Any]) -> None:
        match self._random.randint(0, 39):
            case 0:
                del record["OriginOfCondition"]
            case 1:
                record["OriginOfCondition"] = record["OriginOfCondition"]["@odata.id"]
            case 2:
                record["OriginOfCondition"] = {"@odata.id": ""}
            case 3:
                record["OriginOfCondition"] = {"@odata.id": "/"}
            case 4:
                record["OriginOfCondition"] = None

    def _report(self, number: int) -> dict[str, Any]:
        return {
            "@odata.type": "#MetricReport.v1_4_2.MetricReport",
            "@odata.id": "/redfish/v1/TelemetryService/MetricReports/CPUUtilCustom1",
            "Id": str(number),
            "Name": "Metric report",
            "MetricValues": [
                {"MetricId": "CPUUtil", "MetricValue": "1", "MetricProperty": "/redfish/v1/Systems/1#/ProcessorSummary"}
            ],
        }


def envelope(said: Said) -> bytes:
    """
    The Kafka record: the body in base64, of every hundredth as an array of bytes; reports are a JSON string in it.
    """
    text = json.dumps(said.body, separators=(",", ":"))
    is_report = "MetricValues" in said.body
    body = (json.dumps(text) if is_report else text).encode()
    request: object = list(body) if int(said.body["Id"]) % 100 == 0 else base64.b64encode(body).decode()
    return json.dumps({"ip": said.ip, "request": request, "eventType": "MetricReport" if is_report else ""}).encode()


def _as_a_plugin_says(body: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(json.dumps(body).replace("/redfish/v1", "/ODIM/v1"))
    return said
