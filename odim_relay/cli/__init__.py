"""
The command line: `odim-relay`. One file per group of commands, imported when it is called.
"""

from odim_relay.cli.main import main

__all__ = ["main"]
