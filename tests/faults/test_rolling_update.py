"""
What `helm upgrade` does to a relay under load, with the chart's own order, probes and times: nothing is lost, nothing
is doubled, no request is refused, and nobody has to be killed (S16).
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import MakeRelay
from tests.support.api_process import ApiProcess
from tests.support.chart import VALUES_FILES, Rendered, container_of, rendered_with
from tests.support.helm import HelmMissingError, helm
from tests.support.receiver import Behaviour, Receiver
from tests.support.redfish_client import SUBSCRIPTIONS, open_client
from tests.support.relay import Relay
from tests.support.relay_process import ROOT, RelayProcess, procfile_command, wait_for_end
from tests.support.relay_settings import QUICK
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

MINIMAL = next(file for file in VALUES_FILES if file.name == "minimal-values.yaml")
REPLICAS = 2
EVENTS_PER_S = 100
CLIENTS = 3
ASKS_EVERY_S = 0.02


@pytest.fixture
def chart() -> Rendered:
    """
    The chart with the timeout of the relay under test.
    """
    try:
        helm()
    except HelmMissingError as missing:
        pytest.skip(str(missing))
    return rendered_with({"settings": {"delivery": {"timeout_s": QUICK["DELIVERY__TIMEOUT_S"]}}}, MINIMAL)


@dataclass(slots=True)
class Roll:
    """
    How the pods of one kind were replaced.

    Attributes:
        took_s: from SIGTERM to the end, of each.
    """

    kind: str
    grace_s: float
    took_s: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.kind} {', '.join(f'{took_s:.1f}' for took_s in self.took_s)} s of {self.grace_s:g}"


def told_to_end(process: RelayProcess, roll: Roll) -> None:
    """
    SIGTERM, and SIGKILL after the time of grace, which must not be needed.
    """
    began_at_s = time.monotonic()
    process.send_signal(15, group=False)
    try:
        status = wait_for_end(process, timeout_s=roll.grace_s)
    finally:
        process.kill()
    roll.took_s.append(time.monotonic() - began_at_s)
    assert status == 0, f"{process.name} ended with {status}:\n{process.log_tail()}"


def with_sign_of_life(process: RelayProcess) -> Path:
    sign = process.folder / f"{process.name}.alive"
    process.env["ODIM_RELAY_LIVENESS__FILE"] = str(sign)
    return sign


def passes_probe(process: RelayProcess, sign: Path, found: Rendered, kind: str) -> bool:
    """
    Run the pod's own startup probe, for the file of this process.
    """
    program, *arguments = container_of(found.deployment(kind))["startupProbe"]["exec"]["command"]
    assert program == "odim-relay"
    arguments = [str(sign) if argument == "/tmp/alive" else argument for argument in arguments]  # noqa: S108
    return not subprocess.run(
        [sys.executable, "-m", "odim_relay", *arguments],
        env={**process.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    ).returncode


def replace(processes: list[RelayProcess], make: Callable[[str], RelayProcess], found: Rendered, kind: str) -> Roll:
    """
    Put a new process in the place of each, one after the other, as the Deployment's strategy says.
    """
    deployment = found.deployment(kind)
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    roll = Roll(kind, found.grace_s(kind))
    for place, old in enumerate(list(processes)):
        new = make(f"{kind}-new-{place}")
        new.start_limit_s = 120.0  # on a machine that starts all kinds at once
        sign = with_sign_of_life(new)
        try:
            new.start()
            wait_until(lambda: passes_probe(new, sign, found, kind), timeout_s=120, what=f"{new.name} to be alive")  # noqa: B023
            assert old.running
            told_to_end(old, roll)
        finally:
            processes[place] = new
    return roll


class Service:
    """
    What Kubernetes sends requests to: the api processes that are ready and not told to end.
    """

    def __init__(self) -> None:
        self._apis: list[ApiProcess] = []
        self.answered = 0
        self.failures: list[str] = []

    def add(self, api: ApiProcess) -> None:
        self._apis = [*self._apis, api]

    def remove(self, api: ApiProcess) -> None:
        self._apis = [one for one in self._apis if one is not api]

    @contextmanager
    def asked(self) -> Iterator[None]:
        """
        Have clients ask all the time, each request over a connection of its own.
        """
        stop = threading.Event()

        def ask_on() -> None:
            number = 0
            while not stop.wait(ASKS_EVERY_S):
                number += 1
                api = self._apis[number % len(self._apis)]
                try:
                    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
                        status = client.get(SUBSCRIPTIONS).status_code
                except httpx.HTTPError as exc:
                    self.failures.append(f"{api.name}: {type(exc).__name__}: {exc}")
                else:
                    self.answered += 1
                    if status != httpx.codes.OK:
                        self.failures.append(f"{api.name}: {status}")

        threads = [threading.Thread(target=ask_on, daemon=True) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)


def make_api(relay: Relay, name: str) -> ApiProcess:
    settings = {variable.removeprefix("ODIM_RELAY_"): value for variable, value in relay.env.items()}
    return ApiProcess(relay.folder, redis=relay.redis, settings=settings, name=name)


def is_ready(api: ApiProcess, found: Rendered) -> bool:
    path = container_of(found.deployment("api"))["readinessProbe"]["httpGet"]["path"]
    with open_client(api.url, api.ca_file) as client:
        return client.get(path).status_code == httpx.codes.OK


def replace_apis(apis: list[ApiProcess], service: Service, relay: Relay, found: Rendered) -> Roll:
    """
    The same for the api: requests go to whom readiness lets, and none to who is told to end.
    """
    roll = Roll("api", found.grace_s("api"))
    hook = container_of(found.deployment("api"))["lifecycle"]["preStop"]["exec"]["command"]
    for place, old in enumerate(list(apis)):
        new = make_api(relay, f"api-new-{place}")
        new.start_limit_s = 120.0
        try:
            new.start()
            wait_until(lambda: is_ready(new, found), timeout_s=60, what=f"{new.name} to be ready")  # noqa: B023
            service.add(new)
            # The time of grace begins with the hook; meanwhile the others hear that nobody is to be sent here.
            began_at_s = time.monotonic()
            removal = threading.Timer(1.0, service.remove, [old])
            removal.start()
            subprocess.run(hook, check=True)
            removal.join()
            hook_s = time.monotonic() - began_at_s
            roll.grace_s -= hook_s
            told_to_end(old, roll)
            roll.grace_s += hook_s
        finally:
            apis[place] = new
    return roll


def test_an_update_of_everything_at_once_under_load_loses_nothing_and_doubles_nothing(
    make_relay: MakeRelay, receiver: Receiver, chart: Rendered
) -> None:
    with make_relay(bridges=REPLICAS, workers=REPLICAS, partitions=4) as relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.05))
        service, apis = Service(), [make_api(relay, f"api-{number}") for number in range(REPLICAS)]
        maintenance, beats = [relay.maintenance], [relay.beat]

        def new_beat(name: str) -> RelayProcess:
            return RelayProcess(name, procfile_command("beat"), relay.folder, relay.env, ready="beat: Starting...")

        def new_maintenance(name: str) -> RelayProcess:
            return relay.make_worker(name, kind="maintenance")

        try:
            for api in apis:
                api.start()
                wait_until(lambda: is_ready(api, chart), timeout_s=60, what="it to be ready")  # noqa: B023
                service.add(api)
            with service.asked(), relay.under_load(per_s=EVENTS_PER_S), ThreadPoolExecutor() as pool:
                receiver.wait_for_requests(subscriber.path, EVENTS_PER_S, timeout_s=30)
                rolls = [
                    one.result()
                    for one in [
                        pool.submit(replace, relay.bridges, relay.make_bridge, chart, "bridge"),
                        pool.submit(replace, relay.workers, relay.make_worker, chart, "worker"),
                        pool.submit(replace, maintenance, new_maintenance, chart, "maintenance"),
                        pool.submit(replace, beats, new_beat, chart, "beat"),
                        pool.submit(replace_apis, apis, service, relay, chart),
                    ]
                ]
                # The new ones do the work.
                reached = receiver.request_count(subscriber.path)
                receiver.wait_for_requests(subscriber.path, reached + EVENTS_PER_S, timeout_s=60)
        finally:
            relay.maintenance, relay.beat = maintenance[0], beats[0]
            for api in apis:
                api.kill()
        account = relay.settle()
        print(f"ended in: {'; '.join(map(str, rolls))}; {service.answered} requests answered; {account}")
        assert service.answered > 100
        assert service.failures == []
        assert account.published > 10 * EVENTS_PER_S
        assert account.is_perfect, str(account)
        relay.check_health()
