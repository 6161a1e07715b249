"""
Requests that must be refused: what is asked, and what has to be answered.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.redfish_client import SUBSCRIPTIONS

PASSWORD_OF_NOBODY: Final = "unguessed-pass-word-77"
HEADER_VALUE: Final = "Bearer do-not-repeat-88"
SIGNING_SECRET: Final = "whsec_ZG8tbm90LXJlcGVhdC05OS1kby1ub3QtcmVwZWF0"
SECRETS: Final = (PASSWORD_OF_NOBODY, HEADER_VALUE.removeprefix("Bearer "), SIGNING_SECRET.removeprefix("whsec_"))

GOOD: Final[Mapping[str, Any]] = {
    "Destination": "https://192.0.2.1/hook",
    "Protocol": "Redfish",
    "HttpHeaders": [{"Authorization": HEADER_VALUE}],
    "Oem": {"OdimRelay": {"SigningSecret": SIGNING_SECRET}},
}
"""
A subscription with nothing wrong about it; others are this one with one thing changed.
"""


@dataclass(frozen=True, slots=True)
class Said:
    """
    One message of an answer.

    Attributes:
        key: in the Base registry.
        arguments: None where only the key matters.
        related: the JSON pointer that `RelatedProperties` holds; empty where no property is meant.
    """

    key: str
    arguments: tuple[str, ...] | None = None
    related: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """
    One request, and its answer.

    Attributes:
        name: a sentence.
        who: `admin`, `reader`, `nobody`; nobody sends no credentials.
        path: may hold `{subscription}`, `{account}`, `{reader}`, for the URIs of what is there.
        document: sent as JSON; `body` is sent as it is.
        says: all messages of the answer, in any order.
    """

    name: str
    says: tuple[Said, ...]
    status: int = 400
    method: str = "POST"
    path: str = SUBSCRIPTIONS
    who: str = "admin"
    document: Any = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes | None:
        """
        What is sent as body.
        """
        if self.body is not None or self.document is None:
            return self.body
        return json.dumps(self.document).encode()

    def __str__(self) -> str:
        return self.name


def property_said(key: str, name: str, *, value: str | None = None) -> Said:
    """
    A message about one property at the top of the body.

    Args:
        value: the argument before the name, for those messages that repeat the value.
    """
    return Said(key, (name,) if value is None else (value, name), f"#/{name}")


def shown(value: Any) -> str:
    """
    A value as a message repeats it.
    """
    return value if isinstance(value, str) else json.dumps(value)


def without(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}
