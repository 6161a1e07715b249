import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from odim_relay.api.front import Front
from odim_relay.api.http.exchange import Limits, RedfishApp


class Noted:
    """
    Notes what it is asked for.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        self.paths.append(scope["path"])


def asked(path: str, *, has_page: bool = True) -> tuple[bool, bool]:
    """
    Whether the page was asked for it, and whether the Redfish service was.
    """
    page, statuses = Noted(), list[int]()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(event: dict[str, object]) -> None:
        if event["type"] == "http.response.start":
            statuses.append(int(str(event["status"])))

    async def ask() -> None:
        redfish = RedfishApp((), authenticate=lambda *_: pytest.fail("asked who it is"), limits=Limits())
        front = Front(redfish, page if has_page else None)
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "scheme": "https"}
        await front(scope, receive, send)  # type: ignore[arg-type] # plain functions

    asyncio.run(ask())
    return page.paths == [path], statuses == [404]


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/subscriptions"])
def test_what_is_below_ui_is_the_pages(path: str) -> None:
    assert asked(path) == (True, False)


@pytest.mark.parametrize("path", ["/", "/uix", "/redfish/v1", "/redfish/ui", "/UI", "//ui"])
def test_everything_else_is_the_redfish_services(path: str) -> None:
    assert asked(path) == (False, True)


def test_without_a_page_its_paths_are_refused_as_any_other() -> None:
    assert asked("/ui", has_page=False) == (False, True)
