"""
A browser without a window: follows no redirect by itself, keeps cookies, knows the forms of a page.
"""

import re
import ssl
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urlencode, urlsplit

import httpx

from tests.support.api_process import ApiProcess

ANSWERS_IN_S = 20.0


class _Form(HTMLParser):
    """
    The first form that is sent by POST to a path.
    """

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.fields: dict[str, str] | None = None
        self._is_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method") == "post" and given.get("action") == self.action:
            self._is_open, self.fields = True, {}
        elif tag == "input" and self._is_open and self.fields is not None:
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._is_open = self._is_open and tag != "form"


class PageClient:
    """
    One browser's visit to the page.
    """

    def __init__(self, api: ApiProcess) -> None:
        is_plain = api.url.startswith("http:")
        verify = True if is_plain else ssl.create_default_context(cafile=str(api.ca_file))
        self.http = httpx.Client(base_url=api.url, verify=verify, timeout=ANSWERS_IN_S, trust_env=False)
        self.origin = api.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(path, headers=headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        sent = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **headers}
        return self.http.post(path, data=fields, headers=sent)

    def log_in(self, user: str, password: str, to: str = "/ui") -> httpx.Response:
        return self.post("/ui/log-in", {"user_name": user, "password": password, "to": to})

    def fields(self, page: str, action: str) -> dict[str, str]:
        """
        What the form of a page that goes to `action` would send.
        """
        answer = self.get(page)
        assert answer.status_code == 200, answer.text
        return fields_of(answer.text, action)

    def act(self, page: str, **given: str) -> httpx.Response:
        """
        Confirm what a page asks.
        """
        path = urlsplit(page).path
        return self.post(path, {**self.fields(page, path), **given})

    def entry(self, entry_id: str) -> str:
        """
        The page of a record in quarantine.
        """
        answer = self.http.get("/ui/quarantine/entry", params={"id": entry_id})
        assert answer.status_code == 200, answer.text
        return answer.text

    def act_entry(self, entry_id: str, verb: str) -> httpx.Response:
        """
        Confirm what is asked of a record in quarantine.
        """
        return self.act(f"/ui/quarantine/{verb}?{urlencode({'id': entry_id})}")

    def told(self, answer: httpx.Response) -> str:
        """
        What the page says, once, that a form led to.
        """
        assert answer.status_code == 303, answer.text
        shown = self.get(answer.headers["Location"])
        assert shown.status_code == 200, shown.text
        found = re.search(r'<p class="told" role="status">(.*?)</p>', shown.text)
        return found[1] if found else ""


def fields_of(page: str, action: str) -> dict[str, str]:
    form = _Form(action)
    form.feed(page)
    assert form.fields is not None, f"there is no form for {action} in\n{page}"
    return form.fields
