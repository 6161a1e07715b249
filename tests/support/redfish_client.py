"""
A client of the API in a test.
"""

import ssl
from pathlib import Path
from typing import Any

import httpx

ROOT = "/redfish/v1/"
EVENT_SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{EVENT_SERVICE}/Subscriptions"
STREAM = f"{EVENT_SERVICE}/SSE"
SESSION_SERVICE = "/redfish/v1/SessionService"
SESSIONS = f"{SESSION_SERVICE}/Sessions"
ACCOUNT_SERVICE = "/redfish/v1/AccountService"
ACCOUNTS = f"{ACCOUNT_SERVICE}/Accounts"
ROLES = f"{ACCOUNT_SERVICE}/Roles"
SUBMIT_TEST_EVENT = f"{EVENT_SERVICE}/Actions/EventService.SubmitTestEvent"
TEST_EVENT_SUBSCRIPTION = f"{EVENT_SERVICE}/Actions/EventService.TestEventSubscription"

ANSWERS_IN_S = 15.0


def open_client(
    url: str, ca_file: Path | str, *, credentials: tuple[str, str] | None = None, token: str = ""
) -> httpx.Client:
    """
    A client that verifies the API's certificate; the caller closes it.

    Args:
        credentials: user name and password, for Basic on every request.
        token: of a session, for every request.
    """
    return httpx.Client(
        base_url=url,
        verify=ssl.create_default_context(cafile=str(ca_file)),
        auth=credentials,
        headers={"X-Auth-Token": token} if token else {},
        timeout=ANSWERS_IN_S,
        trust_env=False,
    )


def log_in(client: httpx.Client, user: str, password: str) -> str:
    """
    Open a session, and return its token.
    """
    answer = client.post(SESSIONS, json={"UserName": user, "Password": password})
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Auth-Token"]


def created(client: httpx.Client, collection: str, document: dict[str, Any]) -> str:
    """
    Create a member of a collection, and return its URI.
    """
    answer = client.post(collection, json=document)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def members(client: httpx.Client, collection: str = SUBSCRIPTIONS) -> list[str]:
    """
    The URIs of all members, of as many pages as there are.
    """
    found: list[str] = []
    page = collection
    while page:
        answer = client.get(page)
        assert answer.status_code == 200, answer.text
        document = answer.json()
        found += [one["@odata.id"] for one in document["Members"]]
        page = document.get("Members@odata.nextLink", "")
    return found


def told(answer: httpx.Response) -> list[dict[str, Any]]:
    """
    The messages of an answer that refuses.
    """
    messages: list[dict[str, Any]] = answer.json()["error"]["@Message.ExtendedInfo"]
    return messages


def keys_told(answer: httpx.Response) -> list[str]:
    """
    The messages' keys in the registry: `PropertyUnknown`.
    """
    return [message["MessageId"].split(".")[-1] for message in told(answer)]
