"""
What librdkafka says of a configuration that it does not take.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException

from odim_relay.errors import ConfigurationError

_SETTINGS = {
    "ssl.ca.location": "KAFKA__SECURITY__CA_FILE",
    "ssl.certificate.location": "KAFKA__SECURITY__CERT_FILE",
    "ssl.key.location": "KAFKA__SECURITY__KEY_FILE",
}


@contextmanager
def accepted_configuration() -> Iterator[None]:
    """
    Make clients in here.

    Raises:
        ConfigurationError: the settings of `KAFKA__*` do not fit together, or a file in them cannot be read.
    """
    try:
        yield
    except (KafkaException, ValueError) as exc:
        detail = exc.args[0].str() if isinstance(exc, KafkaException) else str(exc)
        named = [setting for name, setting in _SETTINGS.items() if name in detail]
        raise ConfigurationError(f"{named[0] if named else 'KAFKA__*'}: {detail}") from exc
