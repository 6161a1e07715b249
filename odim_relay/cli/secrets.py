"""
`odim-relay secrets`.
"""

from dataclasses import asdict

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import FAILED
from odim_relay.cli.output import counted, json_option, print_json, quiet_logs


@click.group()
def secrets() -> None:
    """
    How secrets stand in Redis.
    """
    quiet_logs()


@secrets.command("new-key")
def new_key() -> None:
    """
    Make a key for SECRETS__ENCRYPTION_KEYS and print it. Put it first in the list, give that to every process, then run
    `secrets rotate`; after that the keys behind it are needed no more.
    """
    click.echo(bootstrap.new_encryption_key())


@secrets.command()
@json_option
@click.pass_context
def rotate(ctx: click.Context, *, as_json: bool) -> None:
    """
    Encrypt everything secret with the first key of SECRETS__ENCRYPTION_KEYS, which every running process must have by
    then. Exits with 1 if something could not be read; that is left as it is.
    """
    done = bootstrap.rotate_secrets()()
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(
            f"Encrypted with the newest key: {counted(done.resealed_count, 'secret')} now, {done.current_count} before"
        )
        for name in done.unreadable:
            click.echo(f"Not readable with any of the keys: {name}", err=True)
    if done.unreadable:
        ctx.exit(FAILED)
