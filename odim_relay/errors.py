"""
Exceptions of our own side; the type says what the caller is to do.

A failing destination is never an exception: it is an `odim_relay.domain.outcome.Outcome`.
"""


class OdimRelayError(Exception):
    """
    Base of every exception that odim-relay raises on purpose.
    """


class PermanentError(OdimRelayError):
    """
    Asking again will not help: the input or the stored state is wrong. Nothing was written.
    """


class TransientError(OdimRelayError):
    """
    A store or broker could not be reached or refused for now: do not acknowledge, back off, ask again.

    What was asked may or may not have been done; every operation of the ledger is safe to repeat.
    """


class ConfigurationError(OdimRelayError):
    """
    The process must not start; the message names the setting and how to mend it.
    """


class SealedError(ConfigurationError):
    """
    Secrets in a store are encrypted with a key that this process has not got. Nothing was done with them.
    """

    def __init__(self, what: str, key_id: str) -> None:
        super().__init__(
            f"the secrets of {what} cannot be read: SECRETS__ENCRYPTION_KEYS has no key {key_id}, by which they were "
            "encrypted, or they were changed since; put that key back into the list"
        )
        self.key_id = key_id
