"""
pytest-celery as it comes, with a broker, a backend and a worker in containers: that its images and this Celery agree.
"""

from collections.abc import Iterator

import pytest
from pytest_celery import CeleryTestSetup, CeleryTestWorker, RedisTestBackend, RedisTestBroker

pytestmark = pytest.mark.docker


@pytest.fixture
def celery_broker(celery_redis_broker: RedisTestBroker) -> RedisTestBroker:
    return celery_redis_broker


@pytest.fixture
def celery_backend(celery_redis_backend: RedisTestBackend) -> RedisTestBackend:
    return celery_redis_backend


@pytest.fixture
def celery_worker(celery_setup_worker: CeleryTestWorker) -> Iterator[CeleryTestWorker]:
    yield celery_setup_worker
    celery_setup_worker.teardown()


def test_a_task_runs_in_a_container_and_answers(celery_setup: CeleryTestSetup) -> None:
    assert celery_setup.ready(ping=True, control=True, docker=True)
