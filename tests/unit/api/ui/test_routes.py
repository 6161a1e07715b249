import pytest

from odim_relay.api.ui.routes import Page, Pages
from odim_relay.api.ui.table import PAGES
from odim_relay.api.ui.visit import PageReply, Visit


def nothing(_: Visit) -> PageReply:
    return PageReply()


def page(path: str) -> Page:
    return Page(path=path, handlers={"GET": nothing})


FIXED, SHAPE, DEEP = page("/ui/a/b"), page("/ui/a/{name}"), page("/ui/a/{name}/{verb}")
FOUND = Pages([DEEP, SHAPE, FIXED])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ui/a/b", (FIXED, {})),
        ("/ui/a/b/", (FIXED, {})),
        ("/ui/a/c", (SHAPE, {"name": "c"})),
        ("/ui/a/c%2Fd", (SHAPE, {"name": "c/d"})),
        ("/ui/a/c/stop", (DEEP, {"name": "c", "verb": "stop"})),
        ("/ui/a/", None),
        ("/ui/a//stop", None),
        ("/ui", None),
        ("/ui/a/b/c/d", None),
    ],
)
def test_a_path_leads_to_its_page(path: str, expected: tuple[Page, dict[str, str]] | None) -> None:
    assert FOUND.find(path) == expected


def test_only_the_log_in_and_files_are_open_to_all() -> None:
    assert {one.path for one in PAGES if one.is_open} == {"/ui/log-in", "/ui/static/{name}"}


def test_what_can_be_looked_at_can_be_asked_for_by_head() -> None:
    assert FIXED.methods == ("GET", "HEAD")
    assert Page(path="/x", handlers={"POST": nothing}).methods == ("POST",)
