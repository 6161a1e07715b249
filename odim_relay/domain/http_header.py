"""
Which headers a subscription may add to its requests.
"""

import re

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# What frames the message, or says who we are and which delivery it is: a value of the subscriber's would break either.
_OURS = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "traceparent",
        "transfer-encoding",
        "upgrade",
    }
)
_OUR_PREFIXES = ("webhook-", "x-odim-relay-")


def check_header(name: str, value: str) -> str | None:
    """
    Tell why a request cannot carry this header, in words that follow its name; None when it can.

    The words never hold the value, which is a secret.

    Source: RFC 9110, 5.1 and 5.5.
    """
    if not _TOKEN.fullmatch(name):
        return "is no header name"
    if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIXES):
        return "is set by odim-relay itself"
    if not _VALUE.fullmatch(value):
        return "has a value with characters that no header may have"
    if value != value.strip(" \t"):
        return "has a value that begins or ends with white space"
    return None
