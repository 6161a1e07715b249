"""
The framework with resources of its own: no socket, no store.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import httpx
import pytest

from odim_relay.api.http.call import Call
from odim_relay.api.http.conditions import with_etag
from odim_relay.api.http.errors import refusal
from odim_relay.api.http.exchange import Limits, RedfishApp
from odim_relay.api.http.reply import Reply, StreamReply
from odim_relay.api.http.resource import Resource
from odim_relay.domain.account import Account, Privilege, Role, Session
from odim_relay.errors import SealedError, TransientError

LIMITS = Limits(max_body_bytes=1_000, body_timeout_s=5, threads=2)
OPEN = frozenset({"GET", "POST"})
closed: list[str] = []


def echo(call: Call) -> Reply:
    return Reply(
        status=201 if call.method == "POST" else 200,
        body=with_etag(
            {
                "method": call.method,
                "params": dict(call.params),
                "query": [list(pair) for pair in call.query],
                "who": call.account.user_name if call.account else None,
                "body": call.document() if call.body else None,
            }
        ),
        headers={"Location": "/there"} if call.method == "POST" else {},
    )


def away(call: Call) -> Reply:  # noqa: ARG001
    raise TransientError("Redis failed while reading secrets")


def sealed(call: Call) -> Reply:  # noqa: ARG001
    raise SealedError("subscription s", "0a1b2c3d")


def broken(call: Call) -> Reply:  # noqa: ARG001
    raise RuntimeError("the password is hunter2")


def text(call: Call) -> Reply:  # noqa: ARG001
    return Reply(content=b"<x/>", media_type="application/xml")


def stream(call: Call) -> StreamReply:
    if call.query:
        raise refusal(400, "QueryParameterValueFormatError", "x", "$filter")

    async def chunks() -> AsyncGenerator[bytes, None]:
        try:
            yield b"data: 1\n\n"
            yield b"data: 2\n\n"
        finally:
            closed.append("stream")

    return StreamReply(chunks=chunks())


def failing_stream(call: Call) -> StreamReply:  # noqa: ARG001
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"data: 1\n\n"
        raise RuntimeError("the password is hunter2")

    return StreamReply(chunks=chunks())


def endless_stream(call: Call) -> StreamReply:  # noqa: ARG001
    async def chunks() -> AsyncGenerator[bytes, None]:
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            closed.append("endless")

    return StreamReply(chunks=chunks())


RESOURCES = (
    Resource(
        path="/open",
        schema="Thing.v1_2_3",
        handlers={"GET": echo, "POST": echo},
        open_methods=OPEN,
        queries=frozenset({"$top"}),
    ),
    Resource(
        path="/things/{thing_id}",
        handlers={"GET": echo, "POST": echo, "PATCH": echo},
        privileges={"PATCH": frozenset({Privilege.CONFIGURE_USERS, Privilege.CONFIGURE_MANAGER})},
        aliases=("/things/Members",),
    ),
    Resource(path="/away", handlers={"GET": away}, open_methods=OPEN),
    Resource(path="/sealed", handlers={"GET": sealed}, open_methods=OPEN),
    Resource(path="/broken", handlers={"GET": broken}, open_methods=OPEN),
    Resource(path="/text", handlers={"GET": text}, open_methods=OPEN),
    Resource(path="/stream", handlers={}, stream=stream, open_methods=OPEN, queries=frozenset({"$filter"})),
    Resource(path="/endless", handlers={}, stream=endless_stream, open_methods=OPEN),
    Resource(path="/failing", handlers={}, stream=failing_stream, open_methods=OPEN),
)


def authenticate(headers: Mapping[str, str], client: str) -> tuple[Account, Session | None]:
    assert client
    role = headers.get("x-role")
    if role is None:
        raise refusal(401, "NoValidSession", headers={"WWW-Authenticate": "Basic"})
    return Account(account_id="1", user_name="ann", password_hash="", role=Role(role)), None


ADMIN = {"X-Role": "Administrator"}


class Client:
    """
    Asks the application as a server would, in one event loop.
    """

    def __init__(self, runner: asyncio.Runner) -> None:
        app = RedfishApp(RESOURCES, authenticate=authenticate, limits=LIMITS)
        self._runner = runner
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver")

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)


@pytest.fixture
def client() -> Iterator[Client]:
    with asyncio.Runner() as runner:
        yield Client(runner)
    closed.clear()


def keys(answer: httpx.Response) -> list[str]:
    error = answer.json()["error"]
    assert error["code"]
    assert error["message"]
    return [str(one["MessageId"]).split(".", 3)[3] for one in error["@Message.ExtendedInfo"]]


def refused(answer: httpx.Response) -> tuple[int, str]:
    (key,) = keys(answer)
    return answer.status_code, key


def test_every_answer_has_what_redfish_wants_of_it(client: Client) -> None:
    for answer in (client.get("/open"), client.get("/nowhere"), client.get("/broken"), client.get("/stream")):
        assert answer.headers["OData-Version"] == "4.0"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Access-Control-Allow-Origin"] == "http://testserver"
        assert answer.headers["Server"].startswith("odim-relay/")


def test_reading_tells_the_methods_the_schema_and_the_tag(client: Client) -> None:
    answer = client.get("/open")

    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert answer.headers["Link"] == "<https://redfish.dmtf.org/schemas/v1/Thing.v1_2_3.json>; rel=describedby"
    assert answer.headers["ETag"] == answer.json()["@odata.etag"]
    assert answer.headers["Content-Type"] == "application/json"


def test_head_is_get_without_the_body(client: Client) -> None:
    get, head = client.get("/open"), client.request("HEAD", "/open")

    assert head.status_code == 200
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.headers["Allow"] == get.headers["Allow"]


def test_who_has_the_state_gets_304_and_who_has_another_the_state(client: Client) -> None:
    tag = client.get("/open").headers["ETag"]

    known = client.get("/open", headers={"If-None-Match": tag})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    assert client.get("/open", headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_answer_may_be_no_json(client: Client) -> None:
    answer = client.get("/text")

    assert (answer.content, answer.headers["Content-Type"]) == (b"<x/>", "application/xml")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "key"),
    [
        ("GET", "/nowhere", {}, 404, "ResourceMissingAtURI"),
        ("GET", "/open", {"OData-Version": "4.1"}, 412, "HeaderInvalid"),
        ("GET", "/nowhere", {"OData-Version": "4.1"}, 412, "HeaderInvalid"),
        ("PATCH", "/open", {}, 405, "OperationNotAllowed"),
        ("PATCH", "/open?$x=1", {}, 405, "OperationNotAllowed"),
        ("GET", "/open?$x=1", {}, 501, "QueryParameterUnsupported"),
        ("GET", "/things/1?$x=1", {}, 501, "QueryParameterUnsupported"),
        ("GET", "/things/1", {}, 401, "NoValidSession"),
        ("PATCH", "/things/1", {"X-Role": "Operator"}, 403, "InsufficientPrivilege"),
        ("GET", "/things/Members", ADMIN, 405, "OperationNotAllowed"),
        ("HEAD", "/stream", {}, 405, ""),
    ],
)
def test_a_request_is_refused_for_the_first_of_its_faults(
    client: Client, method: str, path: str, headers: dict[str, str], status: int, key: str
) -> None:
    answer = client.request(method, path, headers=headers)

    assert answer.status_code == status
    if method != "HEAD":
        assert keys(answer) == [key]
    if status == 405:
        assert answer.headers["Allow"]
    if status == 401:
        assert answer.headers["WWW-Authenticate"]


def test_log_in_and_privilege_are_asked_for_before_the_body_is_looked_at(client: Client) -> None:
    headers = {"Content-Type": "text/plain"}

    assert refused(client.post("/things/1", content=b"{", headers=headers)) == (401, "NoValidSession")
    headers["X-Role"] = "Operator"
    assert refused(client.request("PATCH", "/things/1", content=b"{", headers=headers)) == (
        403,
        "InsufficientPrivilege",
    )


@pytest.mark.parametrize(
    ("content", "headers", "status", "key"),
    [
        (b"{", {}, 400, "MalformedJSON"),
        (b"[]", {}, 400, "UnrecognizedRequestBody"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "HeaderInvalid"),
        (b"{}", {"Content-Type": "application/json; charset=latin-1"}, 415, "HeaderInvalid"),
        (b"{}", {"Content-Encoding": "gzip"}, 415, "HeaderInvalid"),
        (b"x" * 1_001, {}, 413, "PayloadTooLarge"),
    ],
)
def test_a_body_that_cannot_be_is_refused(
    client: Client, content: bytes, headers: dict[str, str], status: int, key: str
) -> None:
    assert refused(client.post("/open", content=content, headers=headers)) == (status, key)


def test_a_body_that_comes_in_chunks_is_counted_as_it_comes(client: Client) -> None:
    async def chunks(count: int) -> AsyncGenerator[bytes, None]:
        yield b'{"a":"'
        for _ in range(count):
            yield b"x" * 300
        yield b'"}'

    assert client.post("/open", content=chunks(3)).json()["body"] == {"a": "x" * 900}
    answer = client.post("/open", content=chunks(4))
    assert refused(answer) == (413, "PayloadTooLarge")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json;charset=utf-8", 'Application/JSON; charset="UTF-8"']
)
def test_a_body_may_say_in_which_way_it_is_json(client: Client, kind: str) -> None:
    assert client.post("/open", content=b"{}", headers={"Content-Type": kind}).status_code == 201


def test_a_handler_sees_the_request_decoded(client: Client) -> None:
    answer = client.post("/things/a%2Fb?x=1&x=&%24top=", json={"@odata.id": "/x", "A": 1}, headers=ADMIN)

    assert (answer.status_code, keys(answer)) == (501, ["QueryParameterUnsupported"])
    answer = client.post("/things/a%2Fb?x=1&x=", json={"@odata.id": "/x", "A": 1}, headers=ADMIN)
    told: dict[str, Any] = answer.json()
    assert told["params"] == {"thing_id": "a/b"}
    assert told["query"] == [["x", "1"], ["x", ""]]
    assert told["who"] == "ann"
    assert told["body"] == {"A": 1}


def test_an_empty_change_is_empty_json(client: Client) -> None:
    assert refused(client.request("PATCH", "/things/1", content=b"{}", headers=ADMIN)) == (400, "EmptyJSON")


def test_what_only_the_operator_can_mend_is_told_as_503_and_its_words_are_for_the_log(client: Client) -> None:
    answer = client.get("/sealed")

    assert refused(answer) == (503, "ServiceTemporarilyUnavailable")
    assert "SECRETS__ENCRYPTION_KEYS" not in answer.text


def test_a_store_that_is_away_is_told_as_503_and_its_words_are_for_the_log(client: Client) -> None:
    answer = client.get("/away")

    assert refused(answer) == (503, "ServiceTemporarilyUnavailable")
    assert answer.headers["Retry-After"] == answer.json()["error"]["@Message.ExtendedInfo"][0]["MessageArgs"][0]
    assert "secrets" not in answer.text


def test_a_fault_of_ours_is_told_as_500_without_details(client: Client) -> None:
    answer = client.get("/broken")

    assert refused(answer) == (500, "InternalError")
    assert "hunter2" not in answer.text


def test_a_stream_is_sent_until_its_end_and_closed(client: Client) -> None:
    answer = client.get("/stream")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert "Content-Length" not in answer.headers
    assert answer.text == "data: 1\n\ndata: 2\n\n"
    assert closed == ["stream"]


def test_a_stream_that_is_refused_is_an_error_like_any_other(client: Client) -> None:
    assert refused(client.get("/stream?$filter=x")) == (400, "QueryParameterValueFormatError")


def test_a_stream_that_fails_ends_after_what_was_sent(client: Client) -> None:
    answer = client.get("/failing")

    assert answer.text == "data: 1\n\n"


async def watch_endless(end: str, meanwhile: str) -> list[dict[str, Any]]:
    """
    What is sent on the endless stream until its first chunk has come and the client leaves, or the process stops.
    """
    app = RedfishApp(RESOURCES, authenticate=authenticate, limits=LIMITS)
    sent: list[dict[str, Any]] = []
    has_begun = asyncio.Event()
    request = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if request:
            return request.pop()
        await has_begun.wait()
        if end == "process":
            app.stop()
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event)
        if event.get("body"):
            has_begun.set()
            if meanwhile == "sending":
                await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/endless", "query_string": b"", "headers": [], "scheme": "http"}
    await app(scope, receive, send)
    # Now, and not when the event loop's end cleans up.
    assert closed == ["endless"]
    return sent


@pytest.mark.parametrize("end", ["client", "process"])
@pytest.mark.parametrize("meanwhile", ["waiting", "sending"])
def test_a_stream_is_closed_when_its_client_leaves_and_when_the_process_stops(end: str, meanwhile: str) -> None:
    sent = asyncio.run(watch_endless(end, meanwhile))

    assert [event["type"] for event in sent] == ["http.response.start", "http.response.body", "http.response.body"]
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    closed.clear()
