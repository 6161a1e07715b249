"""
Signatures by which a subscriber knows who sent a request. Source: Standard Webhooks 1.0.0.
"""

import hmac
from base64 import b64decode, b64encode

_PREFIX = "whsec_"
_FEWEST_BYTES = 24
_MOST_BYTES = 64


def check_signing_secret(text: str) -> str | None:
    """
    Tell why `text` cannot be a signing secret, in words that follow its name; None when it can.

    It is `whsec_` and the base64 of 24 to 64 bytes. The words never hold the secret.
    """
    if not text.startswith(_PREFIX):
        return f"does not begin with {_PREFIX}"
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return f"has something behind {_PREFIX} that is not base64"
    if not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        return f"holds {len(key)} bytes; {_FEWEST_BYTES} to {_MOST_BYTES} make a secret"
    return None


def signing_secret_of(key: bytes) -> str:
    """
    Spell a key, 24 to 64 bytes, as a signing secret.
    """
    return _PREFIX + b64encode(key).decode()


def signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """
    Make the value of `webhook-signature` for a request with these headers and this body.

    Args:
        secret: one that `check_signing_secret` takes.
        timestamp: the value of `webhook-timestamp`.
    """
    key = b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.digest(key, b"%b.%b.%b" % (webhook_id.encode(), timestamp.encode(), body), "sha256")
    return f"v1,{b64encode(digest).decode()}"
