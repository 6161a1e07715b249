"""
Secrets in the stores get the newest encryption key.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from odim_relay.errors import ConfigurationError, SealedError
from odim_relay.ports import Action, SealedStore, SealState
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import NOT_KEPT, Audit

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """
    What came of it.

    Attributes:
        resealed_count: were encrypted anew.
        current_count: were encrypted with the newest key before.
        unreadable: names of what could not be read, ascending; it was left as it is.
    """

    resealed_count: int
    current_count: int
    unreadable: Sequence[str]


class RotateSecrets:
    """
    Reads how secrets stand, and encrypts them anew. Safe to run twice at once, and beside every other process: each
    that is running must have the newest key before, to be able to read what this writes.
    """

    def __init__(self, *, stores: Sequence[SealedStore], can_seal: bool, audit: Audit = NOT_KEPT) -> None:
        self._audit = audit
        self._stores = stores
        self._can_seal = can_seal

    def states(self) -> Iterator[tuple[str, SealState]]:
        """
        How each thing with secrets stands, by its name.

        Raises:
            TransientError: a store cannot be reached.
        """
        for store in self._stores:
            yield from store.seal_states().items()

    def __call__(self, tell: Callable[[str], object] = lambda _: None) -> Rotated:
        """
        Encrypt with the newest key whatever is not.

        Args:
            tell: is called with the name of each that was.

        Raises:
            ConfigurationError: there is no key; nothing was done.
            TransientError: a store cannot be reached; run it again.
        """
        with self._audit(Action.SECRETS_ROTATED) as note:
            rotated = self._rotate(tell)
            note.count = rotated.resealed_count
        return rotated

    def _rotate(self, tell: Callable[[str], object]) -> Rotated:
        if not self._can_seal:
            raise ConfigurationError(
                "SECRETS__ENCRYPTION_KEYS is not set: there is no key to encrypt with; `odim-relay secrets new-key` "
                "makes one"
            )
        resealed = current = 0
        unreadable = []
        for store in self._stores:
            for name, state in sorted(store.seal_states().items()):
                if state is SealState.CURRENT:
                    current += 1
                    continue
                try:
                    if store.reseal(name):
                        resealed += 1
                        tell(name)
                except SealedError:
                    unreadable.append(name)
        log.info("secrets.rotated", count=resealed, unreadable_count=len(unreadable))
        return Rotated(resealed_count=resealed, current_count=current, unreadable=sorted(unreadable))
