"""
Flower below a path of another server, as docs/flower.md says, looked at by a browser.
"""

import re
from collections.abc import Iterator

import httpx
import pytest
import yaml
from playwright.sync_api import Browser, Page

from tests.support.events import events
from tests.support.flower_process import PASSWORD, USER, FlowerProcess
from tests.support.nginx import NginxMissingError, NginxProcess, nginx
from tests.support.relay import Relay
from tests.support.relay_process import ROOT

pytestmark = pytest.mark.server

RELAY_SETTINGS = {"FLOWER__TASK_EVENTS": "true"}
PREFIX = "flower"
HAPPENS_S = 60.0
DOCUMENT = (ROOT / "docs" / "flower.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def flower(relay: Relay) -> Iterator[FlowerProcess]:
    with FlowerProcess(relay.folder, relay.env, {"URL_PREFIX": f"/{PREFIX}/"}) as process:
        yield process


@pytest.fixture(scope="module")
def front(flower: FlowerProcess) -> Iterator[NginxProcess]:
    """
    The nginx of the document, before this Flower.
    """
    try:
        nginx()
    except NginxMissingError as exc:
        pytest.skip(f"needs nginx, but there is {exc}")
    config = block("nginx")
    assert "http://127.0.0.1:5555" in config
    with NginxProcess(flower.folder / "nginx", config.replace("http://127.0.0.1:5555", flower.origin)) as process:
        yield process


@pytest.fixture
def troubles() -> list[str]:
    """
    What the browser complains of.
    """
    return []


@pytest.fixture
def page(browser: Browser, troubles: list[str]) -> Iterator[Page]:
    context = browser.new_context(http_credentials={"username": USER, "password": PASSWORD})
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "response",
        lambda answer: troubles.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
    )
    page.on("requestfailed", lambda request: troubles.append(f"{request.failure} {request.url}"))
    yield page
    context.close()


@pytest.mark.parametrize("path", ["/flower/", "/flower/tasks", "/flower/broker", "/flower/api/workers"])
def test_pages_and_api_are_below_the_path_and_ask_who_it_is(front: NginxProcess, path: str) -> None:
    assert httpx.get(f"{front.url}{path}").status_code == 401
    assert httpx.get(f"{front.url}{path}", auth=(USER, PASSWORD)).status_code == 200


def test_nothing_of_it_is_beside_the_path(front: NginxProcess, flower: FlowerProcess) -> None:
    assert httpx.get(f"{front.url}/tasks", auth=(USER, PASSWORD)).status_code == 404
    assert httpx.get(f"{flower.origin}/tasks", auth=(USER, PASSWORD)).status_code == 404
    assert httpx.get(f"{front.url}/flower").headers["Location"].endswith("/flower/")
    assert httpx.get(f"{front.url}/flower/healthcheck").text == "OK"


def test_a_browser_gets_from_the_path_to_a_delivery(
    relay: Relay, front: NginxProcess, page: Page, troubles: list[str]
) -> None:
    subscriber = relay.subscribe()
    relay.publish(events(1))
    (delivery_id,) = relay.receiver.wait_for_accepted(subscriber.path, 1, HAPPENS_S)

    page.goto(f"{front.url}/flower")
    page.get_by_role("link", name="Tasks").click()
    page.get_by_role("searchbox").fill(f"kwargs:{subscriber.id}")
    page.get_by_role("link", name=delivery_id).wait_for(timeout=HAPPENS_S * 1000)
    assert page.get_by_text(f"subscription {subscriber.id}").count() == 1
    page.get_by_role("link", name=delivery_id).click()
    page.get_by_text(f"delivery {delivery_id}, seq 1").wait_for()

    assert page.url == f"{front.url}/flower/task/{delivery_id}"
    assert page.get_by_role("button", name="Revoke").count() == 0
    assert troubles == []


def test_the_ingress_has_the_path_and_the_port_of_the_settings() -> None:
    (rule,) = yaml.safe_load(block("yaml"))["spec"]["rules"]
    (path,) = rule["http"]["paths"]

    assert (path["path"], path["pathType"]) == (f"/{PREFIX}", "Prefix")
    assert path["backend"]["service"]["port"]["number"] == 5555
