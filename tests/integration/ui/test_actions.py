"""
What an operator does on the page, and who may.
"""

import base64
import json
from collections.abc import Callable

import pytest

from odim_relay.adapters.redis.audit import RedisAuditLog
from odim_relay.adapters.redis.connection import text
from odim_relay.domain.actor import Actor, Channel
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.ports import Action, AuditSelection, QuarantineEntry
from tests.integration.operator.filled import Filled
from tests.integration.ui.conftest import READER
from tests.support.events import event
from tests.support.page_client import PageClient

pytestmark = pytest.mark.server

NAMES = ("one", "two", "three", "four", "five", "six", "theirs", "test", "bulk")


@pytest.fixture(scope="module", autouse=True)
def _subscribed(filled: Filled) -> None:
    filled.subscribe(*NAMES)
    filled.store.save(Subscription(subscription_id="own", destination="https://own/x", name="Own", owner=READER[0]))
    filled.store.save(Subscription(subscription_id="sse", destination="", kind=SubscriptionType.SSE, owner="admin"))


def suspended(filled: Filled, subscription_id: str) -> str:
    found = filled.client.hget(f"{filled.prefix}flow:{subscription_id}", "suspended")
    return found.decode() if isinstance(found, bytes) else ""


def quarantine(filled: Filled, offset: int, value: bytes, topic: str = "a:b") -> str:
    entry_id = f"epoch/{topic}/3/{offset}"
    entry = QuarantineEntry(
        entry_id=entry_id,
        record=f"{topic}/3/{offset}",
        recorded_at_ms=1_000,
        reason="no_json",
        detail="<b>what</b>",
        value=value,
    )
    filled.ingest(quarantine=[entry])
    return entry_id


def test_it_is_asked_before_anything_is_done_and_told_afterwards_once(filled: Filled, admin: PageClient) -> None:
    here = "/ui/subscriptions/one"
    asked = admin.get(f"{here}/suspend")
    assert asked.status_code == 200
    assert "Suspend this subscription?" in asked.text
    assert suspended(filled, "one") == ""

    done = admin.act(f"{here}/suspend")

    assert done.headers["Location"] == here
    assert admin.told(done).startswith("Suspended:")
    assert suspended(filled, "one") == "by_hand"
    assert 'class="told"' not in admin.get(here).text
    assert admin.told(admin.act(f"{here}/suspend")) == "It was suspended already."


def test_a_subscription_is_resumed_with_all_that_waited(filled: Filled, admin: PageClient) -> None:
    admin.act("/ui/subscriptions/two/suspend")
    filled.ingest(*((f"two-{number}", "two") for number in range(3)))

    told = admin.told(admin.act("/ui/subscriptions/two/resume", within=""))

    assert told == "Resumed: 3 deliveries had waited."
    assert suspended(filled, "two") == ""
    assert admin.told(admin.act("/ui/subscriptions/two/resume")) == "It was not suspended."


def test_resuming_with_a_span_discards_what_is_older(filled: Filled, admin: PageClient) -> None:
    admin.act("/ui/subscriptions/three/suspend")
    filled.ingest(("three-old", "three"))
    letter = filled.letter("three-old")
    filled.client.hset(
        f"{filled.prefix}dead-letters",
        "three-old",
        json.dumps({**letter, "taken_ms": str(int(str(letter["taken_ms"])) - 7_200_000)}),
    )
    filled.ingest(("three-new", "three"))

    assert admin.told(admin.act("/ui/subscriptions/three/resume", within="1 h")).startswith("Resumed")

    assert filled.letter("three-old") == {}
    assert filled.client.exists(f"{filled.prefix}delivery:three-new")


@pytest.mark.parametrize("within", ["soon", "-1", "<script>", "99999999999999 d"])
def test_a_span_that_is_none_is_asked_for_again_and_nothing_is_done(
    filled: Filled, admin: PageClient, within: str
) -> None:
    admin.act("/ui/subscriptions/four/suspend")

    answer = admin.act("/ui/subscriptions/four/resume", within=within)

    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert "write a span of time" in answer.text
    assert "<script>alert" not in answer.text
    assert suspended(filled, "four") == "by_hand"


def test_a_test_event_goes_to_this_subscription_alone(filled: Filled, admin: PageClient) -> None:
    assert admin.told(admin.act("/ui/subscriptions/test/test")) == "A test event is on its way."

    made = [
        fields
        for key in filled.client.scan_iter(f"{filled.prefix}delivery:*")
        if (fields := filled.client.hgetall(key))[b"subscription"] == b"test"
    ]
    (delivery,) = made
    body = json.loads(filled.client.hget(f"{filled.prefix}body:{text(delivery[b'event'])}", "payload") or b"")
    assert body["Events"][0]["MessageId"] == "ResourceEvent.1.4.TestMessage"
    assert filled.counter("events_announced") == 1


def test_dead_letters_are_replayed_and_what_came_of_it_is_told(filled: Filled, admin: PageClient) -> None:
    filled.fill("five", 30)
    page = admin.get("/ui/subscriptions/five?letters=dead").text
    assert "five-00000" in page
    assert "Page 1" in page
    assert "five-00029" in admin.get("/ui/subscriptions/five?letters=dead&page=2").text
    assert "Replay 30 dead letters" in admin.get("/ui/subscriptions/five/replay").text

    assert admin.told(admin.act("/ui/subscriptions/five/replay")) == "30 dead letters replayed."

    assert filled.counter("released_by_hand") == 30
    assert "None of these" in admin.get("/ui/subscriptions/five?letters=dead").text


def test_very_many_are_replayed_as_far_as_a_request_goes_and_the_rest_is_told(
    filled: Filled, admin: PageClient
) -> None:
    filled.subscribe("many")
    names = filled.fill("many", 300)
    # As if there were more than one request does: a form cannot wait for ever.
    filled.client.hset(f"{filled.prefix}parked-counts:many", "rejected", 20_300)

    told = admin.told(admin.act("/ui/subscriptions/many/replay"))

    assert told.startswith("300 dead letters replayed. 20\u202f000 dead letters left")
    assert len(names) == 300


def test_dead_letters_are_discarded(filled: Filled, admin: PageClient) -> None:
    filled.fill("six", 3)
    assert "cannot be undone" in admin.get("/ui/subscriptions/six/discard").text

    assert admin.told(admin.act("/ui/subscriptions/six/discard")) == "3 dead letters discarded."

    assert filled.letter("six-00000") == {}


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_what_waits_is_neither_replayed_nor_discarded_with_the_dead_letters(
    filled: Filled, admin: PageClient, verb: str
) -> None:
    name = f"mixed-{verb}"
    filled.subscribe(name)
    filled.fill(name, 2)
    admin.act(f"/ui/subscriptions/{name}/suspend")
    filled.ingest((f"{name}-waits", name))
    before = filled.letter(f"{name}-waits")
    assert before["reason"] == "suspended"

    assert admin.told(admin.act(f"/ui/subscriptions/{name}/{verb}")).startswith("2 dead letters ")

    assert filled.letter(f"{name}-waits") == before


@pytest.mark.parametrize(("verb", "stays"), [("replay", True), ("discard", False)])
def test_one_delivery_is_looked_at_and_acted_on(filled: Filled, admin: PageClient, verb: str, *, stays: bool) -> None:
    name = f"alone-{verb}"
    filled.subscribe(name)
    (ticket,) = filled.ingest((name, name))
    filled.park(ticket, ParkReason.REJECTED)
    page = admin.get(f"/ui/deliveries/{name}").text
    assert "refused by the destination" in page
    assert "connect: connection refused" in page
    assert "{&#34;Id&#34;:&#34;1&#34;}" in page

    told = admin.told(admin.act(f"/ui/deliveries/{name}/{verb}"))

    assert told == f"1 dead letter {verb}ed."
    assert filled.letter(name) == {}
    assert bool(filled.client.exists(f"{filled.prefix}delivery:{name}")) is stays


def test_a_delivery_that_is_not_parked_is_shown_and_not_changed(filled: Filled, admin: PageClient) -> None:
    filled.subscribe("moving")
    filled.ingest(("moving-1", "moving"))

    assert "queued" in admin.get("/ui/deliveries/moving-1").text
    assert admin.get("/ui/deliveries/moving-1/discard").status_code == 409
    assert admin.get("/ui/deliveries/never-was").status_code == 404


# --- quarantine ---


def test_a_record_is_looked_at_and_taken_in(filled: Filled, admin: PageClient) -> None:
    entry_id = quarantine(filled, 700, b"{}", topic="REDFISH-EVENTS-TOPIC")
    still = admin.act_entry(entry_id, "replay")

    assert still.headers["Location"].startswith("/ui/quarantine/entry?id=")
    assert admin.told(still).startswith("It stays in quarantine")
    assert filled.client.hexists(f"{filled.prefix}quarantine", entry_id)


def test_a_record_that_is_understood_today_becomes_deliveries(filled: Filled, admin: PageClient) -> None:
    value = json.dumps({"ip": "192.0.2.7", "request": base64.b64encode(event(1)).decode(), "eventType": ""}).encode()
    entry_id = quarantine(filled, 701, value, topic="REDFISH-EVENTS-TOPIC")

    told = admin.told(admin.act_entry(entry_id, "replay"))

    assert told.startswith("Taken in: 1 event, "), told
    assert not filled.client.hexists(f"{filled.prefix}quarantine", entry_id)


def test_a_record_is_discarded_once(filled: Filled, admin: PageClient) -> None:
    entry_id = quarantine(filled, 702, b"\xff\x00<script>alert(1)</script>")
    page = admin.entry(entry_id)
    assert "\\xff\\x00&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "&lt;b&gt;what&lt;/b&gt;" in page

    assert admin.told(admin.act_entry(entry_id, "discard")) == "Discarded: 1 record."

    assert not filled.client.hexists(f"{filled.prefix}quarantine", entry_id)
    assert admin.get(f"/ui/quarantine/discard?id={entry_id}").status_code == 404


# --- who may ---

ACTIONS = ("suspend", "resume", "test", "replay", "discard")


@pytest.mark.parametrize("action", ACTIONS)
def test_who_may_only_look_can_do_nothing(filled: Filled, admin: PageClient, reader: PageClient, action: str) -> None:
    here = f"/ui/subscriptions/theirs/{action}"
    token = reader.fields("/ui", "/ui/log-out")["form_token"]
    before = dict(filled.client.hgetall(f"{filled.prefix}flow:theirs"))

    assert reader.get("/ui/subscriptions/theirs").status_code == 200
    assert f"{action}" not in _actions(reader.get("/ui/subscriptions/theirs").text)
    assert reader.get(here).status_code == 403
    assert reader.post(here, {"form_token": token}).status_code == 403
    assert filled.client.hgetall(f"{filled.prefix}flow:theirs") == before
    assert admin.get(here).status_code == 200


def test_who_may_only_look_acts_on_own_subscriptions_as_at_the_api(filled: Filled, reader: PageClient) -> None:
    assert reader.told(reader.act("/ui/subscriptions/own/suspend")).startswith("Suspended")
    assert suspended(filled, "own") == "by_hand"
    assert "resume" in _actions(reader.get("/ui/subscriptions/own").text)


def test_quarantine_and_audit_are_the_administrators(filled: Filled, reader: PageClient) -> None:
    entry_id = quarantine(filled, 703, b"x")
    token = reader.fields("/ui", "/ui/log-out")["form_token"]

    assert reader.get(f"/ui/quarantine/entry?id={entry_id}").status_code == 200
    assert "Discard" not in reader.entry(entry_id)
    for verb in ("replay", "discard"):
        assert reader.get(f"/ui/quarantine/{verb}?id={entry_id}").status_code == 403
        assert reader.post(f"/ui/quarantine/{verb}", {"id": entry_id, "form_token": token}).status_code == 403
    assert filled.client.hexists(f"{filled.prefix}quarantine", entry_id)
    assert reader.get("/ui/audit").status_code == 403
    assert "/ui/audit" not in reader.get("/ui").text


def test_nothing_is_done_to_a_stream(admin: PageClient) -> None:
    assert _actions(admin.get("/ui/subscriptions/sse").text) == ""
    assert admin.get("/ui/subscriptions/sse/suspend").status_code == 400


def _actions(page: str) -> str:
    return page.partition('<div class="actions">')[2].partition("</div>")[0]


# --- bad input ---

BAD: tuple[tuple[str, Callable[[PageClient], int], int], ...] = (
    ("no such page", lambda one: one.get("/ui/nothing").status_code, 404),
    ("no such subscription", lambda one: one.get("/ui/subscriptions/nobody").status_code, 404),
    ("no such action", lambda one: one.get("/ui/subscriptions/one/explode").status_code, 404),
    ("no such action of a delivery", lambda one: one.get("/ui/deliveries/d/explode").status_code, 404),
    ("a path with a slash in a name", lambda one: one.get("/ui/subscriptions/a%2Fb").status_code, 404),
    ("a path with what is no text", lambda one: one.get("/ui/subscriptions/%ff%00").status_code, 404),
    ("a very long path", lambda one: one.get(f"/ui/subscriptions/{'x' * 4_000}").status_code, 404),
    ("no record named", lambda one: one.get("/ui/quarantine/entry").status_code, 400),
    ("a query of no text", lambda one: one.get("/ui/subscriptions?q=%ff").status_code, 400),
    ("too many fields", lambda one: one.get("/ui?" + "&".join(f"a{n}=1" for n in range(99))).status_code, 400),
    ("a page beyond all", lambda one: one.get("/ui/subscriptions?page=999999999").status_code, 200),
    ("a page that is none", lambda one: one.get("/ui/subscriptions?page=%3Cscript%3E&sort=x").status_code, 200),
    ("letters beyond all", lambda one: one.get("/ui/subscriptions/one?page=99999&letters=x").status_code, 200),
    ("a window that is none", lambda one: one.get("/ui?window=1y").status_code, 200),
    ("PUT", lambda one: one.http.put("/ui", content=b"x").status_code, 415),
    ("DELETE", lambda one: one.http.delete("/ui/subscriptions/one").status_code, 405),
    ("OPTIONS", lambda one: one.http.options("/ui").status_code, 405),
    ("POST where there is no form", lambda one: one.post("/ui", {}).status_code, 405),
    ("JSON instead of a form", lambda one: one.http.post("/ui/log-in", json={}).status_code, 415),
    ("a form that is too long", lambda one: one.post("/ui/log-in", {"user_name": "x" * 90_000}).status_code, 413),
    (
        "a form that is no text",
        lambda one: (
            one.http.post(
                "/ui/log-in", content=b"a=\xff", headers={"Content-Type": "application/x-www-form-urlencoded"}
            ).status_code
        ),
        400,
    ),
)


@pytest.mark.parametrize(("ask", "status"), [(ask, status) for _, ask, status in BAD], ids=[name for name, *_ in BAD])
def test_what_cannot_be_is_told_by_a_page(admin: PageClient, ask: Callable[[PageClient], int], status: int) -> None:
    assert ask(admin) == status


def test_a_page_that_refuses_says_what_was_wrong_and_leads_back(admin: PageClient) -> None:
    answer = admin.get("/ui/subscriptions/nobody")

    assert "There is no subscription of this id" in answer.text
    assert 'href="/ui/subscriptions"' in answer.text
    refused = admin.http.delete("/ui")
    assert refused.headers["Allow"] == "GET, HEAD"
    assert admin.http.head("/ui").content == b""
    assert int(admin.http.head("/ui").headers["Content-Length"]) > 1_000


# --- names with markup in them ---

EVIL = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "{{ 7 * 7 }} {% raw %}",
    "\u202egnp.exe",
    "x" * 5_000,
    "a\x00b\x1bc",
    "\u0639\u0631\u0628\u064a",
)


@pytest.mark.parametrize("name", EVIL, ids=ascii)
def test_a_name_with_markup_is_shown_as_it_is_written(filled: Filled, admin: PageClient, name: str) -> None:
    filled.store.save(
        Subscription(
            subscription_id="evil",
            destination="https://evil/x",
            name=name,
            owner="<b>owner</b>",
            context='"><img src=x>',
            headers=(('"><i>', "hunter2"),),
        )
    )
    filled.fill("evil", 1)

    for path in ("/ui/subscriptions/evil", "/ui/subscriptions?q=evil", "/ui", "/ui/subscriptions/evil/replay"):
        page = admin.get(path).text
        for markup in ("<script>alert", "<img src=x", '"><i>', "<b>owner", 'onmouseover="alert', "onfocus='alert"):
            assert markup not in page
        assert "hunter2" not in page
        assert not set(page) & {"\x00", "\x1b", "\u202e"}
        assert len(page) < 200_000
    if name.startswith("{{"):
        assert "{{ 7 * 7 }}" in admin.get("/ui/subscriptions/evil").text


def test_what_was_searched_for_is_shown_as_it_was_written(admin: PageClient) -> None:
    page = admin.get("/ui/subscriptions?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text

    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;alert(1)" in page


def test_who_did_it_on_the_page_is_noted_and_shown(filled: Filled, admin: PageClient) -> None:
    admin.act("/ui/subscriptions/five/suspend")
    admin.act("/ui/subscriptions/five/test")

    noted = RedisAuditLog(filled.scripts, most=1_000, retention_s=3_600).entries(AuditSelection(subjects=("five",)))

    actor = Actor(name="admin", channel=Channel.PAGE, client="127.0.0.1")
    found = [(entry.deed.action, entry.deed.actor) for entry in noted]
    assert (Action.SUBSCRIPTION_SUSPENDED, actor) in found
    assert (Action.TEST_SENT, actor) in found
    assert "subscription.suspended" in admin.get("/ui/audit?subject=five").text


# --- who did it ---


def test_what_is_done_on_the_page_is_remembered_with_who_did_it(filled: Filled, admin: PageClient) -> None:
    filled.subscribe("noted")
    admin.act("/ui/subscriptions/noted/suspend")

    page = admin.get("/ui/audit?subject=noted").text

    row = page.partition("<tbody>")[2].partition("</tr>")[0]
    assert "subscription.suspended" in row
    assert "<bdi>admin</bdi>" in row
    assert "page 127.0.0.1" in row
    assert "Nothing of this kind" in admin.get("/ui/audit?subject=noted&actor=nobody").text
    assert "subscription.suspended" not in admin.get("/ui/audit?subject=noted&action=account").text
    for query in ("page=x", "page=999999", "action=%3Cscript%3E", f"actor={'x' * 3_000}"):
        assert admin.get(f"/ui/audit?{query}").status_code == 200
