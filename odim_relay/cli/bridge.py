"""
`odim-relay bridge`.
"""

import click

from odim_relay import bootstrap
from odim_relay.bridge import process
from odim_relay.errors import OdimRelayError
from odim_relay.telemetry import logger

log = logger(__name__)


@click.command()
def bridge() -> None:
    """
    Read Kafka, match, and hand out deliveries, until SIGTERM or SIGINT.
    """
    bootstrap.configure_logs()
    try:
        process.run()
    except OdimRelayError:
        raise
    except Exception:
        # What the last line on stderr does not tell: where it happened.
        log.exception("bridge.failed")
        raise
