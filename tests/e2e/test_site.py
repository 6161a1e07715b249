"""
The documents as a site, in a browser that has no internet.
"""

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.documents import ROOT

pytestmark = pytest.mark.server

PAGES = (
    "index",
    "quick-start",
    "concepts",
    "subscribers",
    "settings",
    "api-reference",
    "adr/index",
    "repository/odim_relay/use_cases/ingest.py",
    "repository/examples/receiver-go/index",
)
"""
One of each kind.
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        timeout=180,
        check=True,
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_page_can_be_read_by_everybody_and_asks_nobody_else(
    site: str, browser: Browser, scheme: Any
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    for name in PAGES:
        answer = page.goto(f"{site}/{name}.html")
        assert answer is not None
        assert answer.ok, name
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response["violations"]
        serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in {"serious", "critical"}]
        assert not serious, f"{name}: {serious}"
    assert said == []
    assert {url for url in asked if not url.startswith((site, "data:", "blob:"))} == set()
    context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def test_the_search_finds_documents_and_not_code(site: str, page: Page) -> None:
    page.goto(f"{site}/index.html")
    page.fill("input.md-search__input", "verify signatures")
    results = page.locator(".md-search-result__item a.md-search-result__link")
    expect(results.first).to_be_visible()
    targets = [results.nth(number).get_attribute("href") or "" for number in range(results.count())]
    assert any("subscribers.html" in target for target in targets)
    assert not any(".py.html" in target for target in targets)


def test_what_is_copied_of_a_console_is_what_is_to_be_typed(site: str, page: Page) -> None:
    page.goto(f"{site}/quick-start.html")
    block = page.locator(".highlight", has_text="odim-relay publish examples/events.json").first
    block.hover()
    block.locator(".md-clipboard, [data-md-type='copy']").first.click()
    expect(page.locator(".md-dialog")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() == "odim-relay publish examples/events.json"
