"""
Signing with a key pair.
"""

from typing import Protocol


class Signer(Protocol):
    """
    Signs with keys that `odim_relay.domain.signing.check_signing_key` takes.
    """

    def sign(self, key: str, content: bytes) -> str:
        """
        The signature of `content`, as `webhook-signature` carries it: `v1a,` and base64.
        """
        ...

    def public_key(self, key: str) -> str:
        """
        The public half, as subscribers get it: `whpk_` and base64.
        """
        ...
