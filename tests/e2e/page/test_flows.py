"""
What an operator does in a browser, with the real relay behind it.
"""

import json
import re
import time

import pytest
from playwright.sync_api import Browser, expect

from tests.support.api_process import ApiProcess
from tests.support.browser import Operator, operator
from tests.support.events import event, events
from tests.support.ledger_view import PREFIX
from tests.support.receiver_behaviour import Behaviour
from tests.support.relay import Relay
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_SETTINGS = {**SHORT_OUTAGES, "DEAD_LETTERS__REPLAY_INTERVAL_S": 2}
ARRIVES_S = 30.0
SEEN_S = 5.0


def test_numbers_move_while_events_flow(relay: Relay, admin: Operator) -> None:
    subscriber = relay.subscribe()
    with relay.under_load(20):
        relay.receiver.wait_for_accepted(subscriber.path, 60, ARRIVES_S)
        tile = admin.page.locator(".tile", has_text="Delivered").locator(".value")
        expect(tile).to_have_text(re.compile(r"^[1-9]"), timeout=ARRIVES_S * 1000)
        expect(admin.page.locator(".tile", has_text="Latency").locator(".value")).to_have_text(
            re.compile(r"\d (ms|s)"), timeout=ARRIVES_S * 1000
        )
        # A line that goes somewhere, once two samples were taken.
        admin.page.locator("#plot-rates svg.plot path.line-2").wait_for(state="attached", timeout=ARRIVES_S * 1000)
    admin.open(f"/ui/subscriptions/{subscriber.id}")
    admin.sees("table", "HTTP 200", SEEN_S)
    assert admin.page.locator("svg.plot .bar-delivered").count() > 0


def test_a_subscription_is_suspended_and_resumed_and_gets_all_of_it(relay: Relay, admin: Operator) -> None:
    subscriber = relay.subscribe()
    admin.open(f"/ui/subscriptions/{subscriber.id}")
    assert admin.confirm("Suspend…", "Suspend").startswith("Suspended")
    relay.publish(events(7), wanted_by=[subscriber])

    # Nobody reloads anything.
    published_at = time.monotonic()
    expect(admin.fact("Waiting")).to_have_text("7", timeout=ARRIVES_S * 1000)
    print(f"7 that wait were seen after {time.monotonic() - published_at:.2f} s")
    admin.page.reload()
    assert admin.page.locator(".told").count() == 0  # once
    assert relay.receiver.accepted(subscriber.path) == {}

    assert admin.confirm("Resume…", "Resume") == "Resumed: 7 deliveries had waited."
    relay.receiver.wait_for_accepted(subscriber.path, 7, ARRIVES_S)
    admin.sees(".standing", "OK", SEEN_S)


def test_a_span_that_is_none_is_asked_for_again(relay: Relay, admin: Operator) -> None:
    subscriber = relay.subscribe()
    admin.open(f"/ui/subscriptions/{subscriber.id}")
    admin.confirm("Suspend…", "Suspend")
    admin.page.get_by_role("link", name="Resume…").click()
    admin.page.get_by_label("Send only what came within the last").fill("soon")
    admin.page.get_by_role("button", name="Resume").click()

    field = admin.page.get_by_label("Send only what came within the last")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("soon")
    admin.complaints.remove(f"status 400: {admin.page.url}")  # it was refused, as it should be
    admin.complaints[:] = [one for one in admin.complaints if "status of 400" not in one]
    field.fill("1 h")
    admin.page.get_by_role("button", name="Resume").click()
    assert admin.page.locator(".told").inner_text().startswith("Resumed")


def test_a_test_event_arrives(relay: Relay, admin: Operator) -> None:
    subscriber, other = relay.subscribe(), relay.subscribe()
    admin.open(f"/ui/subscriptions/{subscriber.id}")

    assert admin.confirm("Test event…", "Send the test event") == "A test event is on its way."

    relay.receiver.wait_for_accepted(subscriber.path, 1, ARRIVES_S)
    ((_, _, body),) = relay.receiver.bodies(subscriber.path)
    assert json.loads(body)["Events"][0]["MessageId"] == "ResourceEvent.1.4.TestMessage"
    assert relay.receiver.request_count(other.path) == 0
    relay.receiver.forget(subscriber.path)  # it was none that was published


def test_dead_letters_are_replayed_when_the_destination_takes_them(relay: Relay, admin: Operator) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(status=400))
    relay.publish(events(3), wanted_by=[subscriber])
    admin.open("/ui/subscriptions")
    row = admin.row(subscriber.path)
    expect(row).to_contain_text("Dead letters", timeout=ARRIVES_S * 1000)
    expect(row).to_contain_text("HTTP 400")
    row.get_by_role("link").click()
    admin.sees("#parked ~ p", "3 refused by the destination", SEEN_S)

    relay.receiver.behave(subscriber.path, Behaviour())
    assert admin.confirm("Replay dead letters…", "Replay 3 dead letters") == "3 dead letters replayed."

    relay.receiver.wait_for_accepted(subscriber.path, 3, ARRIVES_S)
    admin.sees(".standing", "OK", SEEN_S)


def test_one_dead_letter_is_looked_at_and_discarded(relay: Relay, admin: Operator) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(status=400))
    relay.publish([event(77)], wanted_by=[subscriber])
    wait_until(lambda: relay.ledger.parked_of(subscriber.id, by_hand=True), timeout_s=ARRIVES_S, what="the dead letter")
    admin.open(f"/ui/subscriptions/{subscriber.id}?letters=dead")
    admin.page.locator("#parked ~ .scroll tbody a").click()
    admin.page.get_by_role("heading", name="Its attempts").wait_for()
    assert '"Id": "77"' in admin.page.locator(".payload").inner_text()

    assert admin.confirm("Discard…", "Discard") == "1 dead letter discarded."

    assert relay.ledger.parked_of(subscriber.id, by_hand=True) == []
    relay.receiver.behave(subscriber.path, Behaviour())


def test_what_cannot_be_understood_is_seen_and_discarded(relay: Relay, admin: Operator) -> None:
    relay.publish([b"<script>alert('quarantined')</script>"], wanted_by=[], wrapped=False)
    admin.sees(".troubles", "Could not be understood", ARRIVES_S)
    admin.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Quarantine").click()
    admin.page.locator("tbody a").first.click()
    assert "<script>alert('quarantined')" in admin.page.locator(".payload").inner_text()

    assert admin.confirm("Take it in…", "Take it in").startswith("It stays in quarantine")
    assert admin.confirm("Discard…", "Discard") == "Discarded: 1 record."

    admin.sees("#live", "Nothing is in quarantine", SEEN_S)


def test_a_destination_that_fails_is_seen_everywhere_within_five_seconds(
    browser: Browser, relay: Relay, api: ApiProcess, admin: Operator
) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(status=503))
    with operator(browser, api) as at_list, operator(browser, api) as at_one:
        at_list.log_in(path="/ui/subscriptions")
        at_one.log_in(path=f"/ui/subscriptions/{subscriber.id}")
        relay.publish(events(8), wanted_by=[subscriber])
        wait_until(
            lambda: relay.ledger.breaker(subscriber.id) == "open", timeout_s=ARRIVES_S, what="the breaker to open"
        )
        opened_at = time.monotonic()
        at_one.page.locator(".standing").filter(has_text=re.compile("Breaker open|Being probed")).wait_for()
        seen_s = {"one": time.monotonic() - opened_at}
        row = at_list.row(subscriber.path)
        expect(row).to_contain_text(re.compile("Breaker open|Being probed"))
        seen_s["list"] = time.monotonic() - opened_at
        admin.sees(".troubles", "Destinations that fail", SEEN_S)
        seen_s["overview"] = time.monotonic() - opened_at
        print(f"seen after {seen_s}")
        assert max(seen_s.values()) <= SEEN_S
        # The relay's own name for what came of it.
        at_one.sees("table", "HTTP 503", SEEN_S)
    relay.receiver.behave(subscriber.path, Behaviour())
    relay.receiver.wait_for_accepted(subscriber.path, 8, ARRIVES_S)


# --- sessions ---


def test_a_session_that_ended_leads_to_the_log_in_and_back(relay: Relay, admin: Operator) -> None:
    subscriber = relay.subscribe()
    path = f"/ui/subscriptions/{subscriber.id}?letters=dead"
    admin.open(path)
    with relay.redis.client() as client:
        for key in client.scan_iter(f"{PREFIX}session:*"):
            client.delete(key)

    admin.page.wait_for_url("**/ui/log-in?to=*")  # by itself
    admin.page.get_by_text("your session ended").wait_for()
    admin.page.get_by_label("User name").fill(admin.api.user)
    admin.page.get_by_label("Password").fill(admin.api.password)
    admin.page.keyboard.press("Enter")

    admin.page.wait_for_url(f"{admin.api.url}{path}")


def test_who_logged_out_is_out(admin: Operator) -> None:
    admin.page.get_by_role("button", name="Log out").click()
    admin.page.wait_for_url("**/ui/log-in")
    admin.page.go_back()

    admin.page.wait_for_url("**/ui/log-in*")  # nothing is kept of what was shown
    assert admin.page.context.cookies() == []


def test_a_wrong_password_is_told_and_the_name_is_kept(browser: Browser, api: ApiProcess) -> None:
    with operator(browser, api) as somebody:
        somebody.open()
        somebody.page.get_by_label("User name").fill("admin")
        somebody.page.get_by_label("Password").fill("wrong")
        somebody.page.keyboard.press("Enter")

        expect(somebody.page.get_by_role("alert")).to_contain_text("is wrong")
        expect(somebody.page.get_by_label("User name")).to_have_value("admin")
        expect(somebody.page.get_by_label("Password")).to_be_focused()
        assert somebody.complaints
        somebody.complaints[:] = [one for one in somebody.complaints if "401" not in one]


# --- by keyboard, and without a script ---


def test_a_subscription_is_suspended_by_keyboard_alone(browser: Browser, relay: Relay, api: ApiProcess) -> None:
    subscriber = relay.subscribe()
    with operator(browser, api) as somebody:
        page, press = somebody.page, somebody.page.keyboard.press
        somebody.open(f"/ui/subscriptions/{subscriber.id}")
        expect(page.get_by_label("User name")).to_be_focused()
        page.keyboard.type(api.user)
        press("Tab")
        page.keyboard.type(api.password)
        press("Enter")
        page.wait_for_url(f"**/ui/subscriptions/{subscriber.id}")

        press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        press("Enter")
        for _ in range(20):
            press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Suspend…":
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"  # one sees where one is
        press("Enter")
        expect(page.get_by_role("button", name="Suspend")).to_be_focused()
        press("Enter")

        expect(page.get_by_role("status").first).to_contain_text("Suspended")
    assert relay.ledger.flow(subscriber.id)["suspended"] == "by_hand"


def test_all_of_it_works_without_a_script(browser: Browser, relay: Relay, api: ApiProcess) -> None:
    subscriber = relay.subscribe()
    with operator(browser, api, java_script_enabled=False) as somebody:
        somebody.log_in(path=f"/ui/subscriptions/{subscriber.id}")
        assert somebody.confirm("Suspend…", "Suspend").startswith("Suspended")
        relay.publish(events(2), wanted_by=[subscriber])
        wait_until(
            lambda: len(relay.ledger.parked_of(subscriber.id)) == 2, timeout_s=ARRIVES_S, what="both to be parked"
        )
        somebody.page.get_by_role("link", name="Reload the figures").click()
        expect(somebody.fact("Waiting")).to_have_text("2")
        assert somebody.confirm("Resume…", "Resume") == "Resumed: 2 deliveries had waited."
    relay.receiver.wait_for_accepted(subscriber.path, 2, ARRIVES_S)


# --- what keeps itself fresh leaves one's hands alone ---


def test_focus_scroll_and_selection_stay_while_the_page_keeps_itself_fresh(relay: Relay, admin: Operator) -> None:
    subscriber = relay.subscribe()
    admin.page.set_viewport_size({"width": 900, "height": 300})
    admin.open(f"/ui/subscriptions/{subscriber.id}")
    link = admin.page.get_by_role("link", name="Test event…")
    link.focus()
    admin.page.evaluate("window.scrollTo(0, 120)")
    for number in range(3):
        before = admin.page.locator("time").last.inner_text()
        relay.publish([event(number)], wanted_by=[subscriber])
        expect(admin.page.locator("time").last).not_to_have_text(before)

    expect(link).to_be_focused()
    assert admin.page.evaluate("window.scrollY") == 120
    # Somebody is copying an id: it is not pulled away.
    admin.page.evaluate("getSelection().selectAllChildren(document.querySelector('#live dd'))")
    chosen = admin.page.evaluate("String(getSelection())")
    with admin.page.expect_response(lambda response: response.request.headers.get("x-live") == "1"):
        pass
    assert admin.page.evaluate("String(getSelection())") == chosen != ""


def test_a_page_that_was_paused_stands_still_until_it_goes_on(relay: Relay, admin: Operator) -> None:
    admin.page.get_by_role("button", name="Pause").click()
    expect(admin.page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    asked: list[str] = []
    admin.page.on("request", lambda request: asked.append(request.url))
    stands = admin.page.locator("#as-of").inner_text()
    admin.page.wait_for_timeout(5_000)  # more than twice as long as it would have taken
    assert (asked, admin.page.locator("#as-of").inner_text()) == ([], stands)

    admin.page.get_by_role("button", name="Pause").click()
    expect(admin.page.locator("#as-of")).not_to_have_text(stands)
    assert relay.redis.running
