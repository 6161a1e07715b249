"""
Flower as it is started: who may look, what there is to see, and what is not.
"""

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flower.urls
import pytest
from tornado.web import RequestHandler, StaticFileHandler

from tests.support.events import events
from tests.support.flower_process import PASSWORD, USER, FlowerProcess
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.receiver import Behaviour, Receiver
from tests.support.redis_server import RedisBinary, RedisServer
from tests.support.relay import Relay
from tests.support.relay_process import procfile_command
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

BROKER_PASSWORD = f"marker-{uuid.uuid4().hex}"
HAPPENS_S = 60.0
# What a probe and a scraper ask for, what pages are made of, and a log-in that leads nowhere without OAuth2.
OPEN = re.compile(r"/metrics|/healthcheck|/static/.*|/log(in|out).*|\.\*")


@pytest.fixture(scope="module")
def relay(
    kafka: KafkaServer | KafkaMock, redis_binary: RedisBinary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Relay]:
    """
    One whose broker wants a password, and whose retries take long enough to be looked at.
    """
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka, but there is only librdkafka's mock broker")
    folder = tmp_path_factory.mktemp("relay")
    with RedisServer(folder / "redis", binary=redis_binary) as redis, Receiver.start(scheme="https") as receiver:
        with redis.client() as admin:
            admin.acl_setuser(
                "relay",
                enabled=True,
                passwords=[f"+{BROKER_PASSWORD}"],
                categories=["+@all"],
                keys=["*"],
                channels=["*"],
            )
        settings = {
            "BROKER__URL": redis.url(1).replace("://", f"://relay:{BROKER_PASSWORD}@"),
            "DELIVERY__RETRY_INTERVAL_S": 120,
            "BREAKER__FAILURES": 100,
            "FLOWER__TASK_EVENTS": "true",
        }
        with Relay(folder, redis=redis, kafka=kafka.bootstrap_servers, receiver=receiver, settings=settings) as relay:
            yield relay


@pytest.fixture(scope="module")
def flower_(relay: Relay) -> Iterator[FlowerProcess]:
    """
    In a folder with a configuration that Flower would take by itself.
    """
    folder = relay.folder / "elsewhere"
    folder.mkdir()
    (folder / "flowerconfig.py").write_text("basic_auth = []\nread_only = False\n")
    with FlowerProcess(folder, relay.env) as process:
        yield process


def handlers() -> list[tuple[str, type[RequestHandler]]]:
    """
    All that Flower answers at: an example of each path, and who answers.
    """
    found = []
    for one in flower.urls.handlers:
        pattern, handler = (one[0], one[1]) if isinstance(one, tuple) else (one.regex.pattern, one.handler_class)
        found.append((pattern.removesuffix("$"), handler))
    return found


def paths(method: str) -> list[str]:
    guarded = [
        pattern
        for pattern, handler in handlers()
        if not OPEN.fullmatch(pattern)
        and getattr(handler, method, None) is not getattr(RequestHandler, method)
        and not issubclass(handler, StaticFileHandler)
    ]
    return [re.sub(r"\(\.[+*]\)", "odim_relay.deliver", pattern) for pattern in guarded]


def rows(process: FlowerProcess, search: str) -> list[dict[str, Any]]:
    """
    What the page of tasks shows.
    """
    answer = process.ask(
        f"/tasks/datatable?draw=1&start=0&length=100&search[value]={search}&order[0][column]=0&order[0][dir]=asc"
        "&columns[0][data]=name"
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


def row(process: FlowerProcess, delivery_id: str, state: str) -> dict[str, Any]:
    """
    The row of a delivery, once it has this state.
    """

    def found() -> list[dict[str, Any]]:
        return [one for one in rows(process, delivery_id) if one["uuid"] == delivery_id and one["state"] == state]

    wait_until(lambda: len(found()) == 1, timeout_s=HAPPENS_S, what=f"{delivery_id} as {state} in Flower")
    return found()[0]


def test_flower_has_as_many_pages_as_these_tests_know_of() -> None:
    assert len(paths("get")) >= 10
    assert len(paths("post")) >= 15


@pytest.mark.parametrize("path", [pytest.param(path, id=path) for path in paths("get")])
@pytest.mark.parametrize("auth", [None, (USER, "wrong"), ("", ""), (USER, "")], ids=str)
def test_nobody_sees_a_page_without_the_password(
    flower_: FlowerProcess, path: str, auth: tuple[str, str] | None
) -> None:
    answer = flower_.ask(path, auth=auth)

    assert answer.status_code == 401
    assert "odim_relay" not in answer.text


@pytest.mark.parametrize("path", paths("post"))
def test_nobody_does_anything_without_the_password(flower_: FlowerProcess, path: str) -> None:
    assert flower_.ask(path, method="POST", auth=None).status_code == 401


@pytest.mark.parametrize("path", [path for path in paths("post") if path != "/tasks/datatable" and "abort" not in path])
def test_who_may_look_can_do_nothing_either(flower_: FlowerProcess, path: str) -> None:
    answer = flower_.ask(path, method="POST")

    assert (answer.status_code, answer.text) == (403, "Read only mode is enabled")


@pytest.mark.parametrize(
    "path", ["/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks", "/api/task/types"]
)
def test_who_has_the_password_sees_it(flower_: FlowerProcess, path: str) -> None:
    assert flower_.ask(path).status_code == 200


def test_a_delivery_can_be_read_with_its_subscription(relay: Relay, flower_: FlowerProcess) -> None:
    subscriber = relay.subscribe()
    relay.publish(events(1))
    relay.settle()
    (delivery_id,) = relay.receiver.wait_for_accepted(subscriber.path, 1, HAPPENS_S)

    shown = row(flower_, delivery_id, "SUCCESS")

    assert shown["name"] == "odim_relay.deliver"
    assert shown["args"] == f"delivery {delivery_id}, seq 1"
    assert shown["kwargs"] == f"subscription {subscriber.id}"
    assert (shown["result"], shown["exception"]) == ("", None)
    page = flower_.read(f"/task/{delivery_id}")
    assert shown["args"] in page
    assert shown["kwargs"] in page
    found = rows(flower_, f"kwargs:{subscriber.id}")
    assert [one["uuid"] for one in found] == [delivery_id]


def test_a_retry_tells_when_it_is_due_and_its_subscription(relay: Relay, flower_: FlowerProcess) -> None:
    relay.receiver.behave("/failing", Behaviour(status=503))
    subscriber = relay.subscribe("/failing")
    relay.publish(events(1))
    wait_until(lambda: len(rows(flower_, subscriber.id)) == 1, timeout_s=HAPPENS_S, what="the delivery")
    (delivery_id,) = [one["uuid"] for one in rows(flower_, subscriber.id)]

    def in_a_workers_hands() -> list[dict[str, Any]]:
        # Its own retry, and its next message: the worker tells of both in either order.
        return [one for one in rows(flower_, delivery_id) if one["retries"] == 1 and one["exception"]]

    (waiting,) = wait_until(in_a_workers_hands, timeout_s=HAPPENS_S, what="the retry in a worker's hands")
    assert waiting["exception"].startswith("next attempt in ")
    assert waiting["args"] == f"delivery {delivery_id}, seq 3"  # the claim before had one
    assert waiting["kwargs"] == f"subscription {subscriber.id}"
    assert waiting["eta"]


def test_no_page_tells_a_password(relay: Relay, flower_: FlowerProcess) -> None:
    subscriber = relay.subscribe()
    relay.publish(events(1))
    (delivery_id,) = relay.receiver.wait_for_accepted(subscriber.path, 1, HAPPENS_S)
    row(flower_, delivery_id, "SUCCESS")
    wait_until(
        lambda: any("deliveries" in json.dumps(one) for one in flower_.ask("/api/workers?refresh=1").json().values()),
        timeout_s=HAPPENS_S,
        what="Flower to know the workers",
    )
    workers = list(flower_.ask("/api/workers").json())
    pages = [*paths("get"), f"/task/{delivery_id}", f"/api/task/info/{delivery_id}", "/metrics"]

    told = {path: flower_.ask(path).text for path in [*pages, *(f"/worker/{name}" for name in workers)]}
    told["the log"] = flower_.log()

    leaks = [path for path, text in told.items() if BROKER_PASSWORD in text or PASSWORD in text]
    assert leaks == []
    assert any("redis://relay:**@" in text for text in told.values())  # it was there to be told
    assert any("worker_concurrency" in text for text in told.values())


def started_without(relay: Relay, **settings: str) -> subprocess.CompletedProcess[str]:
    own = {f"ODIM_RELAY_FLOWER__{name}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, *procfile_command("flower")],
        env={**relay.worker.env, **own},
        cwd=relay.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_password_it_does_not_start_and_names_the_setting(relay: Relay) -> None:
    done = started_without(relay)

    assert done.returncode == 2
    assert done.stderr.startswith("odim-relay: ODIM_RELAY_FLOWER__PASSWORD is not set")
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_setting_is_named_and_a_password_is_not_repeated(relay: Relay) -> None:
    done = started_without(relay, PASSWORD="shorty", URL_PREFIX="/a b/")

    assert done.returncode == 2
    assert "ODIM_RELAY_FLOWER__PASSWORD: " in done.stderr
    assert "ODIM_RELAY_FLOWER__URL_PREFIX: " in done.stderr
    assert "shorty" not in done.stderr


def test_it_is_open_where_a_setting_says_so(relay: Relay, tmp_path: Path) -> None:
    with FlowerProcess(tmp_path, relay.env, {"UNAUTHENTICATED": "true", "PASSWORD": ""}) as process:
        assert process.ask("/tasks", auth=None).status_code == 200
