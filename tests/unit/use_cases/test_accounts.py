from dataclasses import replace
from itertools import count

import pytest

from odim_relay.domain.account import Account, Role, Session
from odim_relay.use_cases.accounts import (
    MOST_ACCOUNTS,
    AccountChange,
    AccountMissingError,
    LastAdministratorError,
    ManageAccounts,
    NameTakenError,
    TooManyAccountsError,
    is_user_name,
)
from tests.fakes.account_store import InMemoryAccountStore, InMemorySessionStore, PlainPasswords

ROOT = Account(account_id="r", user_name="root", password_hash="h:secret", role=Role.ADMINISTRATOR)
ANN = Account(account_id="a", user_name="ann", password_hash="h:secret", role=Role.READ_ONLY)


class World:
    def __init__(self, *accounts: Account) -> None:
        self.accounts = InMemoryAccountStore(*accounts)
        self.sessions = InMemorySessionStore()
        ids = count(1)
        self.manage = ManageAccounts(
            accounts=self.accounts,
            sessions=self.sessions,
            passwords=PlainPasswords(),
            new_id=lambda: f"id-{next(ids)}",
        )
        for account in accounts:
            self.sessions.save(
                Session(session_id=account.user_name, account_id=account.account_id, user_name="", created_at_s=0)
            )

    def change(self, account_id: str, change: AccountChange) -> Account:
        return self.manage.change(account_id, change, check=lambda _: None)

    @property
    def logged_in(self) -> list[str]:
        return sorted(session.session_id for session in self.sessions.everything())


@pytest.fixture
def world() -> World:
    return World(ROOT, ANN)


def test_an_account_is_added_with_a_hash_instead_of_its_password(world: World) -> None:
    account = world.manage.create("bob", "pass word", Role.OPERATOR)

    assert account == Account(account_id="id-1", user_name="bob", password_hash="1:pass word", role=Role.OPERATOR)
    assert world.accounts.get("id-1") == account


def test_a_name_is_given_once(world: World) -> None:
    with pytest.raises(NameTakenError):
        world.manage.create("ann", "pass word", Role.OPERATOR)

    assert world.accounts.everybody() == (ANN, ROOT)


def test_there_are_not_more_accounts_than_may_be() -> None:
    full = [replace(ROOT, account_id=str(number), user_name=str(number)) for number in range(MOST_ACCOUNTS)]

    with pytest.raises(TooManyAccountsError):
        World(*full).manage.create("one-more", "pass word", Role.READ_ONLY)


def test_a_new_password_ends_the_sessions_of_its_account_alone(world: World) -> None:
    assert world.change("a", AccountChange(password="new")).password_hash == "1:new"

    assert world.logged_in == ["root"]


def test_a_disabled_account_loses_its_sessions_and_another_role_keeps_them(world: World) -> None:
    world.change("a", AccountChange(role=Role.OPERATOR))
    assert world.logged_in == ["ann", "root"]

    world.change("a", AccountChange(is_enabled=False))

    assert world.logged_in == ["root"]
    assert world.accounts.get("a") == replace(ANN, role=Role.OPERATOR, is_enabled=False)


def test_a_deleted_account_is_gone_with_its_sessions(world: World) -> None:
    world.manage.delete("a", check=lambda _: None)

    assert world.accounts.everybody() == (ROOT,)
    assert world.logged_in == ["root"]


def test_what_does_not_exist_is_neither_changed_nor_deleted(world: World) -> None:
    with pytest.raises(AccountMissingError):
        world.change("x", AccountChange(password="new"))
    with pytest.raises(AccountMissingError):
        world.manage.delete("x", check=lambda _: None)


@pytest.mark.parametrize(
    "change", [AccountChange(is_enabled=False), AccountChange(role=Role.OPERATOR), None], ids=["off", "role", "delete"]
)
def test_the_last_enabled_administrator_stays(change: AccountChange | None) -> None:
    off = replace(ROOT, account_id="o", user_name="off", is_enabled=False)
    world = World(ROOT, ANN, off)

    with pytest.raises(LastAdministratorError):
        world.manage.delete("r", check=lambda _: None) if change is None else world.change("r", change)

    assert world.accounts.get("r") == ROOT
    assert "root" in world.logged_in
    world.change("o", AccountChange(is_enabled=True))
    world.manage.delete("r", check=lambda _: None)


def test_a_condition_is_checked_on_the_account_as_it_stands(world: World) -> None:
    seen: list[Account] = []

    def refuse(account: Account) -> None:
        seen.append(account)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        world.manage.change("a", AccountChange(is_enabled=False), check=refuse)
    with pytest.raises(InterruptedError):
        world.manage.delete("a", check=refuse)

    assert seen == [ANN, ANN]
    assert world.accounts.get("a") == ANN


def test_the_first_account_is_made_once() -> None:
    world = World()

    assert world.manage.create_first("root", "pass word")
    assert not world.manage.create_first("other", "pass word")

    (first,) = world.accounts.everybody()
    assert (first.user_name, first.role, first.is_enabled) == ("root", Role.ADMINISTRATOR, True)


@pytest.mark.parametrize(
    ("name", "may_be"),
    [("admin", True), ("a.b_c-d@e", True), ("", False), ("a:b", False), ("a b", False), ("ä", False), ("a\n", False)],
)
def test_a_user_name_is_what_basic_authentication_can_carry(name: str, may_be: bool) -> None:
    assert is_user_name(name) is may_be
