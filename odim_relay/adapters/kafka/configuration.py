"""
What librdkafka says of a configuration that it does not take.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException

from odim_relay.errors import ConfigurationError


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
        detail = exc.args[0].str() if isinstance(exc, KafkaException) else exc
        raise ConfigurationError(f"KAFKA__*: {detail}") from exc
