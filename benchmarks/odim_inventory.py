"""
What a large ODIM costs: reading its tables for the first time, again without a change, after some rows were rewritten.

    python -m benchmarks.odim_inventory [--quick] [--devices N] [--aggregates N]

Each run is of a fresh process, as at the start of a bridge. Exits with 1 when the first reading takes more time or
memory than it may.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.engine import ROOT, clean_environment
from benchmarks.machine import describe
from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.redis_server import RedisServer

DEVICES, AGGREGATES, SUBSCRIPTIONS = 50_000, 50, 200
MOST_S, MOST_MIB = 5.0, 100.0
_REWRITTEN: Final = 1_000
_MIB: Final = 1_048_576
_LIMIT_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    One run.

    Attributes:
        first_s: to read, compare and write everything, at the first start.
        first_cpu_s: of which this process computed so long; the rest is the servers', and what else the machine does.
        memory_mib: resident memory that this process gained by it, at its peak.
        again_s: the same without a change.
        restart_s: of another process, to which everything is known in the store already.
        rewritten_s: after 1,000 rows were written anew with another location.
        load_s: for the bridge to read the inventory out of our store.
    """

    first_s: float
    first_cpu_s: float
    memory_mib: float
    again_s: float
    restart_s: float
    rewritten_s: float
    load_s: float


def fill(odim: OdimRedis, devices: int, aggregates: int) -> list[str]:
    """
    An installation: each device in one aggregate; returns the devices' addresses.
    """
    origins = {
        f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}": (
            f"/redfish/v1/Systems/00000000-0000-4000-8000-{number:012x}.1"
        )
        for number in range(devices)
    }
    odim.put_devices({address: [origin] for address, origin in origins.items()})
    for number in range(aggregates):
        members = list(origins)[number::aggregates]
        odim.put_aggregate(f"00000000-0000-4000-9000-{number:012x}", [origins[one] for one in members], members)
    odim.subscribe(
        *(
            OdimSubscription(id=f"00000000-0000-4000-a000-{number:012x}", destination=f"https://192.0.2.1/{number}")
            for number in range(SUBSCRIPTIONS)
        )
    )
    return list(origins)


def measure(folder: Path, devices: int = DEVICES, aggregates: int = AGGREGATES) -> Figures:
    """
    Fill an ODIM, and let fresh processes follow it.
    """
    with RedisServer(folder / "odim") as theirs, RedisServer(folder / "ours") as ours:
        odim = OdimRedis(theirs)
        addresses = fill(odim, devices, aggregates)
        first = _run("first", theirs, ours)
        again = _run("again", theirs, ours)
        odim.rewrite_devices(addresses[:_REWRITTEN])
        rewritten = _run("again", theirs, ours)
    return Figures(
        first_s=first["first_s"],
        first_cpu_s=first["first_cpu_s"],
        memory_mib=first["memory_mib"],
        again_s=first["again_s"],
        restart_s=again["first_s"],
        rewritten_s=rewritten["first_s"],
        load_s=first["load_s"],
    )


def _run(what: str, theirs: RedisServer, ours: RedisServer) -> dict[str, float]:
    environment = {
        **clean_environment(),
        "ODIM_RELAY_REDIS__URL": ours.url(),
        "ODIM_RELAY_ODIM__REDIS_URL": theirs.url(),
        "ODIM_RELAY_LOG__LEVEL": "WARNING",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.odim_inventory", "--follow"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=_LIMIT_S,
    )
    if ended.returncode:
        raise RuntimeError(f"the {what} reading failed")
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def follow() -> dict[str, float]:
    """
    Follow ODIM as a bridge does at its start, in this process.
    """
    from odim_relay import bootstrap  # noqa: PLC0415 - reads its settings from the environment

    bootstrap.configure_logs()
    mirror, inventory = bootstrap.mirror(), bootstrap.inventory_store()
    bootstrap.odim_store().ping()
    inventory.version()
    before_mib = psutil.Process().memory_info().rss / _MIB
    computed_s = time.process_time()
    first_s = _seconds(mirror.read)
    first_cpu_s = time.process_time() - computed_s
    return {
        "first_s": first_s,
        "first_cpu_s": first_cpu_s,
        "memory_mib": _peak_mib() - before_mib,
        # What was written is compared once more.
        "again_s": min(_seconds(mirror.read) for _ in range(3)),
        "load_s": _seconds(inventory.read),
    }


def _peak_mib() -> float:
    """
    What this process's resident memory was at most, also between two looks.
    """
    # Not `ru_maxrss`, which still knows how large the process was that began this one.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _seconds(act: Callable[[], object]) -> float:
    began_at = time.perf_counter()
    act()
    return time.perf_counter() - began_at


def main() -> int:
    """
    Measure, and print.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.odim_inventory")
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--aggregates", type=int, default=AGGREGATES)
    parser.add_argument("--quick", action="store_true", help="a tenth of the devices")
    parser.add_argument("--follow", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.follow:
        print(json.dumps(follow()))
        return 0
    devices = chosen.devices // 10 if chosen.quick else chosen.devices
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), devices, chosen.aggregates)
    print(f"{devices} devices, {chosen.aggregates} aggregates, {SUBSCRIPTIONS} subscriptions")
    for name, value in asdict(figures).items():
        head, _, unit = name.rpartition("_")
        print(f"  {head.replace('_', ' '):<10} {value:8.2f} {'MiB' if unit == 'mib' else unit}")
    is_good = figures.first_s <= MOST_S and figures.memory_mib <= MOST_MIB
    print(f"  {'within' if is_good else 'OVER'} {MOST_S:g} s and {MOST_MIB:g} MiB")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
