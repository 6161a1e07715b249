"""
pytest-celery with a Redis and a worker that are processes of this machine.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from pytest_celery import CeleryBrokerCluster, CeleryTestSetup, CeleryWorkerCluster

from tests.support.celery_nodes import CeleryWorker, LocalRedisBroker, LocalWorker
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server


@pytest.fixture
def celery_broker(fresh_redis: RedisServer) -> LocalRedisBroker:
    return LocalRedisBroker(fresh_redis)


@pytest.fixture
def celery_backend_cluster() -> None:
    """
    No results are kept.
    """


@pytest.fixture(params=["threads", "prefork"])
def celery_worker(
    request: pytest.FixtureRequest, tmp_path: Path, celery_broker: LocalRedisBroker, celery_setup_app: Celery
) -> Iterator[LocalWorker]:
    env = {"TINY_APP_BROKER_URL": celery_broker.config()["url"]}
    process = CeleryWorker(
        tmp_path, "tests.support.tiny_app", queues=["celery"], pool=request.param, concurrency=2, env=env
    )
    with process as worker:
        yield LocalWorker(worker, celery_setup_app)


@pytest.fixture
def setup(celery_setup: CeleryTestSetup) -> CeleryTestSetup:
    return celery_setup


def notes(setup: CeleryTestSetup) -> list[str]:
    server: RedisServer = setup.broker.container.server
    with server.client(database=1, decode_responses=True) as client:
        words: list[str] = client.lrange("notes", 0, -1)
        return words


def test_a_task_runs_in_the_worker(setup: CeleryTestSetup) -> None:
    setup.app.send_task("tiny.note", ("a",))

    wait_until(lambda: notes(setup) == ["began a", "ended a"], timeout_s=10, what="the task")
    assert len(setup) == 2
    assert setup.ready(control=True, docker=True)


def test_a_task_of_a_killed_worker_runs_again(setup: CeleryTestSetup) -> None:
    setup.app.send_task("tiny.note", ("a", 1))
    wait_until(lambda: notes(setup) == ["began a"], timeout_s=10, what="the task to begin")

    setup.worker.kill()
    setup.worker.restart()

    wait_until(lambda: notes(setup) == ["began a", "began a", "ended a"], timeout_s=20, what="the task to run again")


def test_a_worker_that_is_terminated_finishes_its_task_first(setup: CeleryTestSetup) -> None:
    setup.app.send_task("tiny.note", ("a", 1))
    wait_until(lambda: notes(setup) == ["began a"], timeout_s=10, what="the task to begin")

    assert setup.worker.container.process.terminate() == 0

    assert notes(setup) == ["began a", "ended a"]


def test_a_worker_goes_on_when_its_broker_hung(setup: CeleryTestSetup) -> None:
    setup.broker.kill("SIGSTOP")
    assert not setup.broker.container.server.is_ready()
    setup.broker.kill("SIGCONT")
    setup.app.send_task("tiny.note", ("a",))

    wait_until(lambda: notes(setup) == ["began a", "ended a"], timeout_s=10, what="the task")


def test_a_broker_comes_back_on_its_port_with_its_tasks(setup: CeleryTestSetup) -> None:
    setup.worker.container.process.terminate()
    setup.app.send_task("tiny.note", ("a",))

    setup.broker.restart()
    setup.worker.restart()

    wait_until(lambda: notes(setup) == ["began a", "ended a"], timeout_s=10, what="the task")


@pytest.fixture
def relay(tmp_path: Path, celery_broker: LocalRedisBroker) -> Iterator[CeleryTestSetup]:
    """
    The product's own worker.
    """
    url = celery_broker.container.server.url()
    app = Celery("tests", broker=celery_broker.config()["url"])
    with CeleryWorker(tmp_path, env={"ODIM_RELAY_REDIS__URL": url}) as worker:
        yield CeleryTestSetup(
            worker_cluster=CeleryWorkerCluster(LocalWorker(worker, app)),
            broker_cluster=CeleryBrokerCluster(celery_broker),
            backend_cluster=None,
            app=app,
        )
    app.close()


def send_delivery(setup: CeleryTestSetup) -> None:
    """
    The task of a delivery that the ledger does not know, as a task that was sent twice can be.
    """
    setup.app.send_task("odim_relay.deliver", ("no-such-delivery", 1), queue="deliveries", routing_key="deliveries")


def deliveries_tried(setup: CeleryTestSetup) -> int:
    """
    How many delivery tasks the worker has begun since it started.
    """
    told = setup.app.control.inspect(timeout=0.5).stats() or {}
    count: int = told.get(setup.worker.hostname(), {}).get("total", {}).get("odim_relay.deliver", 0)
    return count


def test_the_products_worker_takes_delivery_tasks(relay: CeleryTestSetup) -> None:
    send_delivery(relay)

    wait_until(lambda: deliveries_tried(relay) == 1, timeout_s=10, what="the task")
    assert relay.ready(control=True, docker=True)


def test_the_products_worker_goes_on_when_its_broker_died(relay: CeleryTestSetup) -> None:
    relay.broker.kill()
    relay.broker.restart()
    send_delivery(relay)

    wait_until(lambda: deliveries_tried(relay) == 1, timeout_s=20, what="the task")
    assert relay.worker.container.status == "running"


def test_the_products_worker_ends_in_good_order(relay: CeleryTestSetup) -> None:
    assert relay.worker.container.process.terminate(limit_s=5) == 0
