"""
A real browser at the operator page, that minds everything it complains of.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, sync_playwright

from tests.support.api_process import ApiProcess
from tests.support.chromium import QUIET, chromium

SHOWN_MS = 10_000
_LEFT = "net::ERR_ABORTED"
"""
What a page asked for when one left it.
"""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """
    Start one; while it is open no other can be, nor any event loop in this thread.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


class Operator:
    """
    Somebody at a browser.

    Attributes:
        complaints: what the browser's console and network told of: there is to be nothing.
    """

    def __init__(self, page: Page, api: ApiProcess) -> None:
        self.page = page
        self.api = api
        self.complaints: list[str] = []
        page.set_default_timeout(SHOWN_MS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console: {message.text}")

    def _on_failed(self, request: Request) -> None:
        if request.failure != _LEFT:
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"status {response.status}: {response.url}")

    def open(self, path: str = "/ui") -> None:
        self.page.goto(f"{self.api.url}{path}")

    def log_in(self, user: str = "", password: str = "", *, path: str = "/ui") -> None:
        """
        Go to a page, by way of the log-in.
        """
        self.open(path)
        self.page.get_by_label("User name").fill(user or self.api.user)
        self.page.get_by_label("Password").fill(password or self.api.password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.api.url}{path}")

    def confirm(self, link: str, button: str) -> str:
        """
        Follow the link to an action, press the button that does it, and read what came of it.
        """
        self.page.get_by_role("link", name=link).click()
        self.page.get_by_role("button", name=button).click()
        return self.page.locator(".told").inner_text()

    def fact(self, name: str) -> Locator:
        """
        What a page says of something that it names.
        """
        return self.page.locator(f'.facts > div:has(dt:text-is("{name}")) dd')

    def row(self, name: str) -> Locator:
        """
        The row of a table with a link of this name.
        """
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("link", name=name, exact=True))

    def sees(self, selector: str, text: str, within_s: float) -> None:
        """
        Wait until the page shows something, without doing anything.
        """
        self.page.locator(selector).filter(has_text=text).first.wait_for(timeout=within_s * 1000)

    def faults(self) -> list[str]:
        """
        What axe finds wrong with the page: its rule, how much it matters, and where.
        """
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:120]}"
            for one in found
            for node in one["nodes"]
        ]


@contextmanager
def operator(browser: Browser, api: ApiProcess, **options: Any) -> Iterator[Operator]:
    """
    A visit with a window of its own; ends in a failure when the browser complained.
    """
    context = browser.new_context(ignore_https_errors=True, **options)
    try:
        somebody = Operator(context.new_page(), api)
        yield somebody
        assert somebody.complaints == []
    finally:
        context.close()
