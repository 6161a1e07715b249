"""
`odim-relay api`.
"""

import click

from odim_relay import bootstrap
from odim_relay.api import process
from odim_relay.errors import OdimRelayError
from odim_relay.telemetry import logger

log = logger(__name__)


@click.command()
def api() -> None:
    """
    Serve Redfish over HTTPS, health and metrics, until SIGTERM or SIGINT.
    """
    bootstrap.configure_logs()
    try:
        process.run()
    except OdimRelayError:
        raise
    except Exception:
        # What the last line on stderr does not tell: where it happened.
        log.exception("api.failed")
        raise
