"""
Signatures by which a subscriber knows who sent a request: with a secret that both know (`v1`), and with a key pair of
which it knows the public half (`v1a`). Source: Standard Webhooks 1.0.0.
"""

import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

_SECRET_PREFIX = "whsec_"  # noqa: S105 - only how one begins
_KEY_PREFIX = "whsk_"
_PUBLIC_KEY_PREFIX = "whpk_"
_FEWEST_BYTES = 24
_MOST_BYTES = 64
_SEED_BYTES = 32
_KEY_SIZES = (_SEED_BYTES, 64)
"""
Of an ed25519 key: the private half alone, or with the public one behind it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredSecret:
    """
    A secret or a key that another took the place of: requests are signed with it too, for a while.

    Attributes:
        secret: `whsec_` or `whsk_`, as it was.
        until_s: seconds since the epoch.
    """

    secret: str = field(repr=False)
    until_s: int


def check_signing_secret(text: str) -> str | None:
    """
    Tell why `text` cannot be a signing secret, in words that follow its name; None when it can.

    It is `whsec_` and the base64 of 24 to 64 bytes. The words never hold the secret.
    """
    key, wrong = _decoded(text, _SECRET_PREFIX)
    if wrong is None and not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        return f"holds {len(key)} bytes; {_FEWEST_BYTES} to {_MOST_BYTES} make a secret"
    return wrong


def check_signing_key(text: str) -> str | None:
    """
    Tell why `text` cannot be a signing key, in words that follow its name; None when it can.

    It is `whsk_` and the base64 of an ed25519 key: 32 bytes, or 64 with the public half behind them. The words never
    hold the key.
    """
    if text.startswith(_PUBLIC_KEY_PREFIX):
        return f"is a public key; the private one, which begins with {_KEY_PREFIX}, signs"
    key, wrong = _decoded(text, _KEY_PREFIX)
    if wrong is None and len(key) not in _KEY_SIZES:
        return f"holds {len(key)} bytes; an ed25519 key has 32, or 64 with its public half"
    return wrong


def _decoded(text: str, prefix: str) -> tuple[bytes, str | None]:
    if not text.startswith(prefix):
        return b"", f"does not begin with {prefix}"
    try:
        return b64decode(text.removeprefix(prefix), validate=True), None
    except ValueError:
        return b"", f"has something behind {prefix} that is not base64"


def signing_secret_of(key: bytes) -> str:
    """
    Spell a key, 24 to 64 bytes, as a signing secret.
    """
    return _SECRET_PREFIX + b64encode(key).decode()


def signing_key_of(seed: bytes, public: bytes) -> str:
    """
    Spell an ed25519 key, 32 bytes of each half, as a signing key.
    """
    return _KEY_PREFIX + b64encode(seed + public).decode()


def public_key_of(public: bytes) -> str:
    """
    Spell the public half of an ed25519 key, 32 bytes, as subscribers get it.
    """
    return _PUBLIC_KEY_PREFIX + b64encode(public).decode()


def is_signing_key(text: str) -> bool:
    """
    Whether it is a key that signs `v1a`, and not a secret that signs `v1`.
    """
    return text.startswith(_KEY_PREFIX)


def seed_of(signing_key: str) -> bytes:
    """
    The private half of a key that `check_signing_key` takes.
    """
    return b64decode(signing_key.removeprefix(_KEY_PREFIX))[:_SEED_BYTES]


def signed_content(webhook_id: str, timestamp: str, body: bytes) -> bytes:
    """
    What is signed of a request with these headers and this body.

    Args:
        timestamp: the value of `webhook-timestamp`.
    """
    return b"%b.%b.%b" % (webhook_id.encode(), timestamp.encode(), body)


def signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """
    Make the value of `webhook-signature` for a request with these headers and this body.

    Args:
        secret: one that `check_signing_secret` takes.
        timestamp: the value of `webhook-timestamp`.
    """
    key = b64decode(secret.removeprefix(_SECRET_PREFIX))
    digest = hmac.digest(key, signed_content(webhook_id, timestamp, body), "sha256")
    return f"v1,{b64encode(digest).decode()}"
