"""
What all processes of the API share to be one service.
"""

from typing import Protocol


class IdentityStore(Protocol):
    """
    Two values, each the same for every process.
    """

    def service_uuid(self, fresh: str) -> str:
        """
        The service's UUID; `fresh` becomes it when there was none.
        """
        ...

    def certificate(self) -> str | None:
        """
        The certificate and its key, as PEM; None when there is none.
        """
        ...

    def keep_certificate(self, fresh: str, *, instead_of: str | None) -> str:
        """
        Keep a certificate if the one that stands is `instead_of`; another process may have been faster.

        Returns:
            the one that stands now.
        """
        ...
