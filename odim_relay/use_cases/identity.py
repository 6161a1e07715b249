"""
One certificate and one UUID, whichever process answers, and after every restart.
"""

from collections.abc import Callable

from odim_relay.ports import IdentityStore


class ServiceIdentity:
    """
    Threads may share it.
    """

    def __init__(
        self,
        *,
        store: IdentityStore,
        new_id: Callable[[], str],
        make_certificate: Callable[[], str],
        is_usable: Callable[[str], bool],
    ) -> None:
        """
        Args:
            make_certificate: gives a certificate and its key, as PEM.
            is_usable: whether a certificate is good for a while yet.
        """
        self._store = store
        self._new_id = new_id
        self._make_certificate = make_certificate
        self._is_usable = is_usable
        self._uuid = ""

    def uuid(self) -> str:
        """
        The service's UUID.

        Raises:
            TransientError: the store cannot be reached, and was not before.
        """
        if not self._uuid:
            self._uuid = self._store.service_uuid(self._new_id())
        return self._uuid

    def certificate(self) -> str:
        """
        The certificate and its key, as PEM: made when there is none, and anew when it runs out.

        Raises:
            TransientError: the store cannot be reached.
        """
        stands = self._store.certificate()
        if stands is not None and self._is_usable(stands):
            return stands
        return self._store.keep_certificate(self._make_certificate(), instead_of=stands)
