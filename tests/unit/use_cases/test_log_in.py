from dataclasses import replace
from itertools import count

import pytest

from odim_relay.domain.account import Account, Role
from odim_relay.domain.throttle import Throttle, ThrottleRule
from odim_relay.use_cases.log_in import (
    MOST_SESSIONS,
    LogIn,
    TooManyFailuresError,
    TooManySessionsError,
    WrongCredentialsError,
    session_id_of,
)
from tests.fakes.account_store import InMemoryAccountStore, InMemorySessionStore, PlainPasswords

ANN = Account(account_id="1", user_name="ann", password_hash="h:right", role=Role.OPERATOR)
OFF = Account(account_id="2", user_name="off", password_hash="h:right", role=Role.OPERATOR, is_enabled=False)


class World:
    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.accounts = InMemoryAccountStore(ANN, OFF)
        self.sessions = InMemorySessionStore(lambda: self.now_s)
        self.passwords = PlainPasswords()
        tokens = count(1)
        self.log_in = LogIn(
            accounts=self.accounts,
            sessions=self.sessions,
            passwords=self.passwords,
            throttle=Throttle(rule=ThrottleRule(per_user=3)),
            new_token=lambda: f"token-{next(tokens)}",
            now_s=lambda: self.now_s,
        )

    def fails(self, user: str, password: str, error: type[Exception] = WrongCredentialsError) -> None:
        with pytest.raises(error):
            self.log_in.by_password(user, password, "client")


@pytest.fixture
def world() -> World:
    return World()


def test_the_right_password_is_let_in(world: World) -> None:
    assert world.log_in.by_password("ann", "right", "client") == ANN


@pytest.mark.parametrize(
    ("user", "password"), [("ann", "wrong"), ("ANN", "right"), ("nobody", "right"), ("nobody", ""), ("off", "right")]
)
def test_anything_else_is_not_and_takes_as_long(world: World, user: str, password: str) -> None:
    world.fails(user, password)

    assert len(world.passwords.verified) == 1


def test_a_password_that_was_right_a_moment_ago_is_not_verified_again(world: World) -> None:
    for _ in range(3):
        world.log_in.by_password("ann", "right", "client")

    assert len(world.passwords.verified) == 1


def test_what_is_remembered_ends_with_the_password_and_with_the_account(world: World) -> None:
    world.log_in.by_password("ann", "right", "client")

    world.accounts.update(lambda _: (replace(ANN, password_hash="h:new"),))
    world.fails("ann", "right")
    world.log_in.by_password("ann", "new", "client")
    world.accounts.update(lambda _: (replace(ANN, password_hash="h:new", is_enabled=False),))
    world.fails("ann", "new")


def test_who_fails_too_often_waits_and_is_not_looked_at_meanwhile(world: World) -> None:
    for _ in range(3):
        world.fails("ann", "wrong")

    with pytest.raises(TooManyFailuresError) as refused:
        world.log_in.by_password("ann", "right", "client")

    assert refused.value.wait_s == 10
    assert len(world.passwords.verified) == 3
    world.now_s += 10
    assert world.log_in.by_password("ann", "right", "client") == ANN


def test_who_is_in_is_not_kept_out_by_one_who_guesses_from_the_same_place(world: World) -> None:
    world.log_in.by_password("ann", "right", "client")
    for _ in range(3):
        world.fails("ann", "wrong")
    world.fails("ann", "wrong", TooManyFailuresError)

    assert world.log_in.by_password("ann", "right", "client") == ANN


def test_a_session_lasts_while_it_is_used(world: World) -> None:
    opened = world.log_in.begin("ann", "right", "client")
    for _ in range(3):
        world.now_s += 1_700
        assert world.log_in.by_token(opened.token) == (ANN, opened.session)

    world.now_s += 1_801

    assert world.log_in.by_token(opened.token) is None


def test_a_session_ends_with_its_account(world: World) -> None:
    opened = world.log_in.begin("ann", "right", "client")
    world.accounts.update(lambda _: (replace(ANN, is_enabled=False),))
    assert world.log_in.by_token(opened.token) is None

    world.accounts.update(lambda _: ())
    assert world.log_in.by_token(opened.token) is None


def test_a_session_does_not_hold_its_token(world: World) -> None:
    opened = world.log_in.begin("ann", "right", "client")

    assert opened.token not in repr(world.sessions.everything())
    assert opened.session.session_id == session_id_of(opened.token)
    assert world.log_in.by_token(opened.session.session_id) is None


def test_wrong_credentials_open_no_session(world: World) -> None:
    with pytest.raises(WrongCredentialsError):
        world.log_in.begin("ann", "wrong", "client")

    assert world.sessions.everything() == []


def test_there_are_not_more_sessions_than_may_be(world: World) -> None:
    for _ in range(MOST_SESSIONS):
        world.log_in.begin("ann", "right", "client")

    with pytest.raises(TooManySessionsError):
        world.log_in.begin("ann", "right", "client")
