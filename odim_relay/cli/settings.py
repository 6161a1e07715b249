"""
`odim-relay settings`.
"""

from dataclasses import asdict

import click

from odim_relay.cli.output import json_option, print_json, print_table
from odim_relay.cli.settings_listing import list_settings
from odim_relay.settings import ENV_PREFIX, load


@click.command()
@json_option
def settings(*, as_json: bool) -> None:
    """
    List every setting, its value (secrets hidden), where that comes from, and its default.
    """
    found = list_settings(load())
    if as_json:
        print_json([asdict(setting) for setting in found])
        return
    click.echo(f"Environment variables and .env; each name begins with {ENV_PREFIX}")
    click.echo()
    print_table(
        ("setting", "value", "source", "default", "meaning"),
        [
            (
                setting.variable.removeprefix(ENV_PREFIX),
                setting.value,
                setting.source,
                "" if setting.value == setting.default else setting.default,
                setting.description,
            )
            for setting in found
        ],
    )
