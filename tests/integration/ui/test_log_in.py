"""
Who gets to the page, and what of a browser's cannot be used by others.
"""

import time
from pathlib import Path

import pytest

from tests.integration.operator.filled import Filled
from tests.integration.ui.conftest import READER
from tests.support.api_process import ApiProcess
from tests.support.page_client import PageClient
from tests.support.redfish_client import ACCOUNTS, SESSIONS, open_client
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

PAGES = (
    "/ui",
    "/ui/subscriptions",
    "/ui/subscriptions/subscription-1",
    "/ui/subscriptions/subscription-1/suspend",
    "/ui/deliveries/d",
    "/ui/quarantine",
    "/ui/quarantine/entry?id=x",
    "/ui/audit",
)
ALL_PAGES = (*PAGES, "/ui/log-in", "/ui/static/page.css", "/ui/static/page.js", "/ui/static/sign.svg", "/ui/nothing")


@pytest.fixture(scope="module", autouse=True)
def _subscribed(filled: Filled) -> None:
    filled.subscribe("subscription-1")


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_logged_in_is_led_to_the_log_in_and_back(api: ApiProcess, stranger: PageClient, path: str) -> None:
    asked = stranger.get(path)
    assert asked.status_code == 303
    form = stranger.fields(asked.headers["Location"], "/ui/log-in")

    entered = stranger.post("/ui/log-in", {**form, "user_name": api.user, "password": api.password})

    assert (entered.status_code, entered.headers["Location"]) == (303, path)
    assert stranger.get(path).status_code in {200, 404}


def test_a_log_in_leads_to_no_other_site(api: ApiProcess, stranger: PageClient) -> None:
    for target in ("https://evil.example/", "//evil.example", "/ui/\\evil.example", "/redfish/v1"):
        assert stranger.log_in(api.user, api.password, to=target).headers["Location"] == "/ui"
    # Who is logged in already is sent on, and to no other site either.
    assert stranger.get("/ui/log-in?to=%2F%2Fevil.example").headers["Location"] == "/ui"


def test_the_cookie_is_for_this_page_and_for_no_script(api: ApiProcess, stranger: PageClient) -> None:
    (cookie,) = stranger.log_in(api.user, api.password).headers.get_list("Set-Cookie")

    name, *attributes = cookie.split("; ")
    assert name.startswith("odim_relay_session=")
    assert sorted(attributes) == ["HttpOnly", "Path=/ui", "SameSite=Strict", "Secure"]


def test_without_tls_the_cookie_can_be_kept(redis: RedisServer, tmp_path: Path, filled: Filled) -> None:
    assert filled.prefix
    with (
        ApiProcess(tmp_path, redis=redis, settings={"API__PLAIN_HTTP": "true"}) as plain,
        PageClient(plain) as client,
    ):
        entered = client.log_in(plain.user, plain.password)

        assert "Secure" not in entered.headers["Set-Cookie"]
        assert client.get("/ui").status_code == 200


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [("admin", "wrong", 401), ("nobody", "x", 401), ("", "", 400), ("admin", "", 400), ("<script>", "x" * 2_000, 400)],
)
def test_a_log_in_that_fails_says_so_and_begins_no_session(
    stranger: PageClient, user: str, password: str, status: int
) -> None:
    answer = stranger.log_in(user, password)

    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert "<script>" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_who_guesses_is_slowed_down_as_at_the_api(redis: RedisServer, tmp_path: Path) -> None:
    with ApiProcess(tmp_path, redis=redis) as alone, PageClient(alone) as client:
        statuses = [client.log_in("guessed", f"guess {number}").status_code for number in range(7)]

        assert statuses == [401] * 5 + [429] * 2
        refused = client.log_in("guessed", "guess")
        assert int(refused.headers["Retry-After"]) > 0
        assert "Too many log-ins failed" in refused.text


def test_a_session_is_one_of_the_apis_and_ends_with_it(api: ApiProcess, admin: PageClient) -> None:
    token = admin.http.cookies["odim_relay_session"]
    with open_client(api.url, api.ca_file, token=token) as client:
        (own,) = [
            found
            for one in client.get(SESSIONS).json()["Members"]
            if (found := client.get(one["@odata.id"]).json())["CreatedTime"] and found["UserName"] == api.user
        ][-1:]
        assert admin.get("/ui").status_code == 200

        assert client.delete(own["@odata.id"]).status_code == 204

    assert admin.get("/ui").headers["Location"] == "/ui/log-in"


def test_logging_out_ends_the_session_for_good(api: ApiProcess, admin: PageClient) -> None:
    token = admin.http.cookies["odim_relay_session"]

    left = admin.post("/ui/log-out", admin.fields("/ui", "/ui/log-out"))

    assert (left.status_code, left.headers["Location"]) == (303, "/ui/log-in")
    assert "odim_relay_session" not in admin.http.cookies
    with open_client(api.url, api.ca_file, token=token) as client:
        assert client.get(SESSIONS).status_code == 401


def test_an_account_that_is_disabled_is_out_at_once(api: ApiProcess) -> None:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client, PageClient(api) as their:
        made = client.post(ACCOUNTS, json={"UserName": "gone", "Password": READER[1], "RoleId": "Operator"})
        assert their.log_in("gone", READER[1]).status_code == 303
        assert their.get("/ui").status_code == 200

        assert client.patch(made.headers["Location"], json={"Enabled": False}).status_code == 200

        assert their.get("/ui").status_code == 303


def test_a_page_that_looks_for_news_by_itself_does_not_keep_the_session_alive(
    filled: Filled, admin: PageClient
) -> None:
    sessions = list(filled.client.scan_iter(f"{filled.prefix}session:*"))
    for found in sessions:
        filled.client.pexpire(found, 60_000)

    assert admin.get("/ui/subscriptions", **{"X-Live": "1"}).json()["status"] == 200
    assert all(filled.client.pttl(found) <= 60_000 for found in sessions)

    assert admin.get("/ui/subscriptions").status_code == 200
    assert any(filled.client.pttl(found) > 60_000 for found in sessions)


def test_a_page_whose_session_ended_is_told_where_to_log_in(stranger: PageClient) -> None:
    answer = stranger.get("/ui/subscriptions?page=2", **{"X-Live": "1"})

    assert answer.status_code == 200
    assert answer.json() == {"status": 303, "location": "/ui/log-in?to=%2Fui%2Fsubscriptions%3Fpage%3D2"}


def test_who_follows_a_link_from_elsewhere_is_not_asked_to_log_in_again(stranger: PageClient) -> None:
    # The browser shows the cookie to our own page only, which then asks once more.
    answer = stranger.get("/ui/subscriptions?q=a%26b", **{"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/ui/subscriptions?q=a%26b"' in answer.text


# --- what other sites cannot do ---


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_does_nothing_even_with_the_token(
    filled: Filled, admin: PageClient, headers: dict[str, str]
) -> None:
    here = "/ui/subscriptions/subscription-1/suspend"

    answer = admin.post(here, admin.fields(here, here), **headers)

    assert answer.status_code == 403
    assert "Not from this page" in answer.text
    assert filled.client.hget(f"{filled.prefix}flow:subscription-1", "suspended") is None


@pytest.mark.parametrize("token", [None, "", "x", "of another session"])
def test_a_form_without_its_sessions_token_does_nothing(
    api: ApiProcess, filled: Filled, admin: PageClient, token: str | None
) -> None:
    here = "/ui/subscriptions/subscription-1/suspend"
    fields = admin.fields(here, here)
    del fields["form_token"]
    if token == "of another session":
        with PageClient(api) as other:
            other.log_in(api.user, api.password)
            fields["form_token"] = other.fields(here, here)["form_token"]
    elif token is not None:
        fields["form_token"] = token

    assert admin.post(here, fields).status_code == 403
    assert filled.client.hget(f"{filled.prefix}flow:subscription-1", "suspended") is None


def test_another_site_can_neither_log_a_browser_in_nor_out(api: ApiProcess, admin: PageClient) -> None:
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    credentials = {"user_name": api.user, "password": api.password}

    assert admin.post("/ui/log-in", credentials, **evil).status_code == 403
    assert admin.post("/ui/log-out", admin.fields("/ui", "/ui/log-out"), **evil).status_code == 403
    assert admin.get("/ui").status_code == 200


def test_a_form_of_a_session_that_ended_leads_to_the_log_in_and_does_nothing(filled: Filled, admin: PageClient) -> None:
    here = "/ui/subscriptions/subscription-1/suspend"
    fields = admin.fields(here, here)
    for found in filled.client.scan_iter(f"{filled.prefix}session:*"):
        filled.client.delete(found)

    answer = admin.post(here, fields)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/ui/log-in?to={here.replace('/', '%2F')}")
    assert filled.client.hget(f"{filled.prefix}flow:subscription-1", "suspended") is None


# --- headers ---


@pytest.mark.parametrize("path", ALL_PAGES)
def test_every_answer_says_what_a_browser_may_do_with_it(admin: PageClient, path: str) -> None:
    for answer in (admin.get(path), admin.http.head(path)):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert {"frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} <= set(policy.split("; "))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        if "/static/" not in path:
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_what_its_policy_forbids_or_asks_anybody_else(admin: PageClient, path: str) -> None:
    text = admin.get(path).text

    assert " style=" not in text
    assert "<style" not in text
    assert " onclick" not in text
    assert text.count("<script") == 1
    assert "http://" not in text.replace("http://subscription-1/x", "")
    assert "https://" not in text


def test_a_file_is_kept_by_browsers_in_the_state_that_a_page_names(admin: PageClient) -> None:
    text = admin.get("/ui").text
    named = text.partition('href="/ui/static/page.css?v=')[2].partition('"')[0]

    assert "immutable" in admin.get(f"/ui/static/page.css?v={named}").headers["Cache-Control"]
    assert admin.get("/ui/static/page.css?v=old").headers["Cache-Control"] == "no-cache"
    assert admin.get("/ui/static/..%2Frouting.py").status_code == 404
    assert admin.get("/ui/static/%2e%2e%2ftemplates%2fbase.html").status_code == 404


def test_what_a_request_came_to_is_one_line_without_its_query(api: ApiProcess, admin: PageClient) -> None:
    admin.get("/ui/subscriptions?q=what-was-searched")
    give_up_at = time.monotonic() + 5
    while not (lines := [one for one in api.lines("page.answered") if one["path"] == "/ui/subscriptions"]):
        assert time.monotonic() < give_up_at

    assert {"method", "path", "status", "duration_ms", "client", "account"} <= lines[-1].keys()
    assert "what-was-searched" not in api.log()
    assert api.password not in api.log()


@pytest.mark.parametrize("path", ["/ui", "/ui/subscriptions", "/ui/subscriptions/subscription-1", "/ui/quarantine"])
def test_the_part_of_a_page_that_changes_is_given_to_its_script_alone(admin: PageClient, path: str) -> None:
    whole = admin.get(path)
    document = admin.get(path, **{"X-Live": "1"}).json()

    assert document["status"] == 200
    assert "<html" not in document["html"]
    start = document["html"].strip().partition("<")[2][:30]
    assert start in whole.text
    assert "As of" in document["html"]
