"""
Every page, for those who do not see it, see it in the dark, or on a small screen.
"""

import pytest
from playwright.sync_api import Browser

from tests.support.api_process import ApiProcess
from tests.support.browser import operator
from tests.support.events import events
from tests.support.ledger_view import PREFIX
from tests.support.receiver_behaviour import Behaviour
from tests.support.relay import Relay, Subscriber
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

ARRIVES_S = 30.0
ERRORS = {"/ui/nothing": 404, "/ui/subscriptions/nobody": 404}


@pytest.fixture
def subscriber(relay: Relay) -> Subscriber:
    """
    One that has attempts, dead letters, and a name that is hard to show.
    """
    found = relay.subscribe()
    relay.receiver.behave(found.path, Behaviour(status=400, first=(200, 200)))
    relay.publish(events(5), wanted_by=[found])
    relay.publish([b"no JSON"], wanted_by=[], wrapped=False)
    wait_until(
        lambda: relay.is_settled() and relay.ledger.quarantine(), timeout_s=ARRIVES_S, what="everything to be tried"
    )
    relay.change(found, name='<b>"long"</b> \u0639\u0631\u0628\u064a ' + "x" * 300)
    return found


def paths(relay: Relay, subscriber: Subscriber) -> list[str]:
    here = f"/ui/subscriptions/{subscriber.id}"
    (letter, *_) = relay.ledger.parked_of(subscriber.id, by_hand=True)
    (entry_id, *_) = relay.ledger.quarantine()
    return [
        "/ui",
        "/ui/subscriptions",
        "/ui/subscriptions?q=nobody-is-called-so",
        here,
        f"{here}?letters=dead",
        *(f"{here}/{action}" for action in ("suspend", "resume", "test", "replay", "discard")),
        f"/ui/deliveries/{letter}",
        f"/ui/deliveries/{letter}/replay",
        "/ui/quarantine",
        f"/ui/quarantine/entry?id={entry_id}",
        f"/ui/quarantine/discard?id={entry_id}",
        "/ui/audit",
        *ERRORS,
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_wrong_with_any_page_and_none_is_wider_than_its_screen(
    browser: Browser, relay: Relay, api: ApiProcess, subscriber: Subscriber, scheme: str, width: int
) -> None:
    found: dict[str, list[str]] = {}
    with operator(browser, api, color_scheme=scheme, viewport={"width": width, "height": 800}) as somebody:
        somebody.open("/ui/log-in")
        found["/ui/log-in"] = somebody.faults()
        somebody.log_in()
        for path in paths(relay, subscriber):
            somebody.open(path)
            found[path] = somebody.faults()
            assert somebody.page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert somebody.page.locator("h1").count() == 1
        somebody.complaints[:] = [one for one in somebody.complaints if "404" not in one]
        with relay.redis.client() as client:
            client.delete(*client.scan_iter(f"{PREFIX}session:*"))
    assert {path: faults for path, faults in found.items() if faults} == {}
    relay.receiver.behave(subscriber.path, Behaviour())
