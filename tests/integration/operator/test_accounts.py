"""
`odim-relay accounts`: the way back in, over Redis, without anybody's password.
"""

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from odim_relay import bootstrap
from odim_relay.cli.main import main
from odim_relay.domain.account import Role
from odim_relay.use_cases.accounts import AccountChange
from odim_relay.use_cases.log_in import WrongCredentialsError
from tests.support.relay_process import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

OLD, NEW = "forgotten by now", "remembered better"


@pytest.fixture
def accounts(cli: CliRunner) -> CliRunner:
    """
    The command line over a Redis with an administrator and somebody who may only read.
    """
    manage = bootstrap.manage_accounts()
    assert manage.create_first("admin", OLD)
    manage.create("ann", OLD, Role.READ_ONLY)
    return cli


def run(cli: CliRunner, *words: str, stdin: str | bytes = "") -> Result:
    return cli.invoke(main, ["accounts", *words], input=stdin)


def can_log_in(user_name: str, password: str) -> bool:
    try:
        bootstrap.log_in().by_password(user_name, password, "192.0.2.1")
    except WrongCredentialsError:
        return False
    return True


def disable(user_name: str) -> None:
    (found,) = [one for one in bootstrap.account_store().everybody() if one.user_name == user_name]
    bootstrap.manage_accounts().change(found.account_id, AccountChange(is_enabled=False), check=lambda _: None)


def test_the_list_tells_who_may_log_in_and_no_hash(accounts: CliRunner) -> None:
    disable("ann")

    told, table = run(accounts, "list", "--json"), run(accounts, "list")

    rows = [(one["user_name"], one["role"], one["is_enabled"]) for one in json.loads(told.stdout)]
    assert rows == [("admin", "Administrator", True), ("ann", "ReadOnly", False)]
    assert "disabled" in table.stdout
    assert "argon2" not in told.stdout + table.stdout


def test_a_password_out_of_a_file_lets_in_and_ends_the_sessions_of_the_old_one(
    accounts: CliRunner, tmp_path: Path
) -> None:
    session = bootstrap.log_in().begin("admin", OLD, "192.0.2.1")
    file = tmp_path / "password"
    file.write_text(f"{NEW}\nnot this line\n")

    done = run(accounts, "set-password", "admin", "--password-file", str(file))

    assert done.exit_code == 0
    assert NEW not in done.output
    assert can_log_in("admin", NEW)
    assert not can_log_in("admin", OLD)
    assert bootstrap.log_in().by_token(session.token) is None
    assert can_log_in("ann", OLD)


@pytest.mark.parametrize("option", [(), ("--password-file", "-")], ids=["without options", "with a dash"])
def test_a_password_comes_by_stdin(accounts: CliRunner, option: tuple[str, ...]) -> None:
    assert run(accounts, "set-password", "ann", *option, stdin=f"{NEW}\r\n").exit_code == 0

    assert can_log_in("ann", NEW)


def test_a_generated_password_is_printed_and_lets_in(accounts: CliRunner) -> None:
    made = run(accounts, "set-password", "admin", "--generate").stdout.splitlines()[-1]
    told = json.loads(run(accounts, "set-password", "ann", "--generate", "--json").stdout)

    assert can_log_in("admin", made)
    assert can_log_in("ann", told["password"])


def test_a_disabled_account_stays_so_with_a_new_password_until_it_is_unlocked(accounts: CliRunner) -> None:
    disable("ann")

    done = run(accounts, "set-password", "ann", stdin=NEW)

    assert done.exit_code == 0
    assert "odim-relay accounts unlock ann" in done.stderr
    assert not can_log_in("ann", NEW)
    assert "may log in again" in run(accounts, "unlock", "ann").stdout
    assert can_log_in("ann", NEW)
    assert "was enabled already" in run(accounts, "unlock", "ann").stdout


@pytest.mark.parametrize(
    ("words", "stdin", "exit_code", "told"),
    [
        (("set-password", "bob"), NEW, 1, "there is no account bob; there are: admin, ann"),
        (("unlock", "bob"), "", 1, "there is no account bob"),
        (("set-password", "ann"), "short", 1, "8 to 128 characters"),
        (("set-password", "ann"), "", 1, "8 to 128 characters"),
        (("set-password", "ann"), "x" * 129, 1, "8 to 128 characters"),
        (("set-password", "ann"), b"\xff\xfe password\n", 1, "no UTF-8"),
        (("set-password", "ann", "--generate", "--password-file", "-"), "", 2, "exclude each other"),
        (("set-password", "ann", "--password-file", "/nowhere/at-all"), "", 2, "/nowhere/at-all"),
        (("set-password", "ann", NEW), "", 2, "unexpected extra argument"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    accounts: CliRunner, words: tuple[str, ...], stdin: str | bytes, exit_code: int, told: str
) -> None:
    done = run(accounts, *words, stdin=stdin)

    assert done.exit_code == exit_code
    assert told in done.stderr
    assert can_log_in("ann", OLD)


def test_without_any_account_it_tells_who_makes_the_first(cli: CliRunner) -> None:
    done = run(cli, "set-password", "admin", stdin=NEW)

    assert done.exit_code == 1
    assert "API__ADMIN_USERNAME" in done.stderr


def test_on_a_terminal_it_asks_twice_and_shows_nothing(accounts: CliRunner) -> None:
    assert accounts
    ours, theirs = pty.openpty()
    assert stat.S_ISCHR(os.fstat(theirs).st_mode)
    process = subprocess.Popen(
        [sys.executable, "-m", "odim_relay", "accounts", "set-password", "ann"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""

    def has_asked(times: int) -> bool:
        nonlocal shown
        shown += os.read(ours, 1_000)
        return shown.count(b":") >= times

    try:
        wait_until(lambda: has_asked(1), timeout_s=30, what="the question")
        os.write(ours, f"{NEW}\n".encode())
        wait_until(lambda: has_asked(2), timeout_s=30, what="the second question")
        os.write(ours, f"{NEW}\n".encode())
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)
        os.close(ours)
    assert NEW.encode() not in shown
    assert can_log_in("ann", NEW)
