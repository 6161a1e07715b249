"""
Every link of the documents leads somewhere, and the site of them is whole.
"""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.documents import ROOT, anchors, documents, links

_ELSEWHERE = re.compile(r"(https?|mailto):")
_LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
"""
What a browser fetches by itself, by element.
"""


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_something_that_is_there(document: Path) -> None:
    for line, target in links(document):
        if _ELSEWHERE.match(target):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.is_relative_to(ROOT), f"{document}:{line}: {target} leads out of the repository"
        assert found.exists(), f"{document}:{line}: there is no {target}"
        if anchor:
            assert anchor in anchors(found), f"{document}:{line}: {path or 'the page'} has no #{anchor}"


def test_some_links_are_looked_at() -> None:
    assert sum(len(links(document)) for document in documents()) > 200


class Loads(HTMLParser):
    """
    Collects what a page makes a browser fetch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        target = given.get(_LOADS.get(tag, ""))
        if target and given.get("rel") not in ("canonical", "next", "prev"):
            self.found.append(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def test_the_site_has_a_page_for_each_document_and_leads_to_it(site: Path) -> None:
    """
    MkDocs itself minds links and anchors that lead nowhere, and pages that the navigation leaves out.
    """
    home = (site / "index.html").read_text(encoding="utf-8")
    for document in sorted((ROOT / "docs").rglob("*.md")):
        name = document.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        page = re.sub(r"README\.html$", "index.html", name)
        assert (site / page).is_file(), page
        assert f'href="{page}"' in home, f"the navigation does not lead to {page}"


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.found
        for target in loads.found:
            assert not re.match(r"(https?:)?//", target), f"{page.relative_to(site)} fetches {target}"
            if page.name != "404.html":
                assert (page.parent / target.partition("?")[0].partition("#")[0]).exists(), f"{page}: no {target}"
        # Diagrams of that kind would be drawn by a program that the theme fetches.
        assert 'class="mermaid"' not in page.read_text(encoding="utf-8")


def test_code_that_a_document_leads_to_is_a_page_of_the_site(site: Path) -> None:
    page = site / "repository" / "odim_relay" / "use_cases" / "ingest.py.html"
    assert "class" in page.read_text(encoding="utf-8")
    architecture = (site / "architecture.html").read_text(encoding="utf-8")
    assert 'href="repository/odim_relay/use_cases/ingest.py.html"' in architecture
    assert 'href="../odim_relay/' not in architecture
