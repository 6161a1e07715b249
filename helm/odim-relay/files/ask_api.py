# ruff: noqa: INP001 - a program, which the chart gives to Python as it stands
"""
What `helm test` asks the API, over TLS: whether it is ready, and whether a Redfish client would find its root.

    python ask_api.py URL [CA_FILE]

Without an authority to verify it against, any certificate will do: the API's own is made at its first start.
"""

import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

TRIES = 10
PAUSE_S = 3
ANSWER_S = 10


def ask(url: str, context: ssl.SSLContext) -> tuple[int, Any]:
    """
    Status and body of an answer, whatever it is.
    """
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S, context=context) as answer:  # noqa: S310 - https by the chart
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def fault(url: str, context: ssl.SSLContext) -> str:
    """
    What is wrong; nothing when all is well.
    """
    try:
        status, body = ask(f"{url}/readyz", context)
        if status != HTTPStatus.OK or body.get("ready") is not True:
            return f"/readyz answers {status}: {body}"
        status, body = ask(f"{url}/redfish/v1/", context)
        if status != HTTPStatus.OK or not str(body.get("@odata.type", "")).startswith("#ServiceRoot."):
            return f"/redfish/v1/ answers {status}: {body}"
        if "EventService" not in body:
            return f"/redfish/v1/ has no EventService: {body}"
    except (OSError, ValueError) as exc:
        return f"{url}: {type(exc).__name__}: {exc}"
    return ""


def main(url: str, ca_file: str | None = None) -> int:
    """
    Ask for half a minute; the exit status.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE_S)
        found = fault(url, context)
        print(found or f"{url} is ready", flush=True)  # noqa: T201 - what `helm test --logs` shows
        if not found:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
