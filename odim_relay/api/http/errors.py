"""
What is wrong with a request, as Redfish says it.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from odim_relay.formats.base_messages import MESSAGES, REGISTRY, message

GENERAL = "GeneralError"


class RedfishError(Exception):
    """
    Ends a request with an error; nothing was changed.

    Attributes:
        status: of the answer, 400 or above.
        messages: Message objects, at least one.
        headers: further ones of the answer.
    """

    def __init__(self, status: int, *messages: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {', '.join(str(one['MessageId']) for one in messages)}")
        self.status = status
        self.messages = list(messages)
        self.headers = MappingProxyType(dict(headers or {}))


def refusal(
    status: int, key: str, *arguments: object, related: tuple[str, ...] = (), headers: Mapping[str, str] | None = None
) -> RedfishError:
    """
    The error with one message of the Base registry.
    """
    return RedfishError(status, message(key, *arguments, related=related), headers=headers)


def missing_resource(uri: str) -> RedfishError:
    """
    There is nothing at this URI.
    """
    return refusal(404, "ResourceMissingAtURI", uri)


def error_body(messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """
    The body of an answer that is an error: one message is its code, several are a GeneralError.
    """
    sole = messages[0] if len(messages) == 1 else None
    return {
        "error": {
            "code": sole["MessageId"] if sole else f"{REGISTRY}.{GENERAL}",
            "message": sole["Message"] if sole else MESSAGES[GENERAL].text,
            "@Message.ExtendedInfo": list(messages),
        }
    }
