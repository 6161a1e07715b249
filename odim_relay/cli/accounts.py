"""
`odim-relay accounts`: the way back in for who runs the relay and cannot log in.
"""

import sys
from collections.abc import Sequence
from typing import IO

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.output import json_option, print_json, print_table, quiet_logs
from odim_relay.domain.account import Account
from odim_relay.use_cases.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, AccountChange

_MOST_BYTES = 4_096


@click.group()
def accounts() -> None:
    """
    Who may log in at the API. Works on Redis itself, so it asks for no password; every API process knows at once.
    """
    quiet_logs()


@accounts.command("list")
@json_option
def list_accounts(*, as_json: bool) -> None:
    """
    List them, by user name.
    """
    everybody = bootstrap.account_store().everybody()
    if as_json:
        print_json([_to_json(account) for account in everybody])
        return
    print_table(
        ("user name", "role", "state", "id"),
        [(one.user_name, one.role, "enabled" if one.is_enabled else "disabled", one.account_id) for one in everybody],
    )


@accounts.command("set-password")
@click.argument("user_name", metavar="NAME")
@click.option(
    "--password-file",
    metavar="FILE",
    type=click.File("r", encoding="utf-8"),
    help="Read it from the first line of this file; - is stdin.",
)
@click.option("--generate", is_flag=True, help="Make one, and print it.")
@json_option
def set_password(user_name: str, *, password_file: IO[str] | None, generate: bool, as_json: bool) -> None:
    """
    Give an account another password; its sessions end. Asks for it on a terminal, else reads one line of stdin.
    """
    if generate and password_file is not None:
        raise click.UsageError("give one of --generate, --password-file: they exclude each other")
    account = _named(user_name, bootstrap.account_store().everybody())
    password = bootstrap.new_secret() if generate else _read(password_file)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise FailedCommand(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; nothing was changed")
    changed = bootstrap.manage_accounts().change(account.account_id, AccountChange(password=password), check=_anybody)
    if as_json:
        print_json({**_to_json(changed), **({"password": password} if generate else {})})
        return
    click.echo(f"{user_name} has a new password, and its sessions have ended")
    if not changed.is_enabled:
        click.echo(f"It is disabled: `odim-relay accounts unlock {user_name}`", err=True)
    if generate:
        click.echo(password)


@accounts.command()
@click.argument("user_name", metavar="NAME")
@json_option
def unlock(user_name: str, *, as_json: bool) -> None:
    """
    Enable an account that was disabled. Who only typed a wrong password too often need not be unlocked: that wait is at
    most 5 minutes, and of one API process.
    """
    account = _named(user_name, bootstrap.account_store().everybody())
    changed = bootstrap.manage_accounts().change(account.account_id, AccountChange(is_enabled=True), check=_anybody)
    if as_json:
        print_json(_to_json(changed))
    else:
        click.echo(f"{user_name} was enabled already" if account.is_enabled else f"{user_name} may log in again")


def _to_json(account: Account) -> dict[str, object]:
    return {
        "id": account.account_id,
        "user_name": account.user_name,
        "role": account.role,
        "is_enabled": account.is_enabled,
    }


def _named(user_name: str, everybody: Sequence[Account]) -> Account:
    for account in everybody:
        if account.user_name == user_name:
            return account
    known = ", ".join(account.user_name for account in everybody)
    raise FailedCommand(
        f"there is no account {user_name}; there are: {known}"
        if known
        else "there is no account at all: the next start of `odim-relay api` makes the first, API__ADMIN_USERNAME"
    )


def _read(file: IO[str] | None) -> str:
    if file is None and sys.stdin.isatty():
        answer: str = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        return answer
    try:
        return (file or sys.stdin).readline(_MOST_BYTES).rstrip("\r\n")
    except UnicodeDecodeError:
        raise FailedCommand("the password is no UTF-8; nothing was changed") from None


def _anybody(_: Account) -> None:
    """
    Who reaches Redis itself need not be asked.
    """
