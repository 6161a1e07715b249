"""
`odim-relay bridge`.
"""

import click

from odim_relay import bootstrap
from odim_relay.bridge import process


@click.command()
def bridge() -> None:
    """
    Read Kafka, match, and hand out deliveries, until SIGTERM or SIGINT.
    """
    bootstrap.configure_logs()
    process.run()
