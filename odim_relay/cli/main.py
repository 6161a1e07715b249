"""
`odim-relay` itself: finds its commands, and turns our exceptions into one line and an exit code.
"""

import getpass
import os
from importlib import import_module
from types import MappingProxyType
from typing import Any

import click

from odim_relay import __version__
from odim_relay.cli.exits import translated
from odim_relay.domain.actor import Actor, Channel
from odim_relay.use_cases.audit import acting

COMMANDS = MappingProxyType(
    {
        "accounts": "odim_relay.cli.accounts:accounts",
        "alive": "odim_relay.cli.alive:alive",
        "api": "odim_relay.cli.api:api",
        "audit": "odim_relay.cli.audit:audit",
        "bridge": "odim_relay.cli.bridge:bridge",
        "dead-letters": "odim_relay.cli.dead_letters:dead_letters",
        "deliveries": "odim_relay.cli.deliveries:deliveries",
        "doctor": "odim_relay.cli.doctor:doctor",
        "odim": "odim_relay.cli.odim:odim",
        "offsets": "odim_relay.cli.offsets:offsets",
        "publish": "odim_relay.cli.publish:publish",
        "quarantine": "odim_relay.cli.quarantine:quarantine",
        "secrets": "odim_relay.cli.secrets:secrets",
        "settings": "odim_relay.cli.settings:settings",
        "sources": "odim_relay.cli.sources:sources",
        "status": "odim_relay.cli.status:status",
        "subscriptions": "odim_relay.cli.subscriptions:subscriptions",
        "up": "odim_relay.cli.up:up",
    }
)
"""
Name to where the command is.
"""


class LazyGroup(click.Group):
    """
    A group that imports a command when it is called: `--help` needs no client library, and `settings` no store.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """
        All of them, in alphabetical order.
        """
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """
        Import one; None when there is no such command.
        """
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """
        Run the command; our exceptions become click's, with an exit code.
        """
        with acting(Actor(name=_user(), channel=Channel.CLI)), translated():
            return super().invoke(ctx)


def _user() -> str:
    """
    The operating system's user; its number where it has no name, as in a container.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="odim-relay")
def main() -> None:
    """
    Delivers infrastructure events from Kafka to their subscribers over HTTPS, and loses none.

    Settings come from ODIM_RELAY_* variables and a .env file: see `odim-relay settings`.

    Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a store cannot be reached.
    """
