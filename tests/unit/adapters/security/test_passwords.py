import pytest

from odim_relay.adapters.security.passwords import Argon2Passwords


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def passwords(clock: Clock) -> Argon2Passwords:
    return Argon2Passwords(monotonic_s=clock, remember_s=60)


def test_a_password_is_verified_against_its_hash_which_does_not_show_it(passwords: Argon2Passwords) -> None:
    stored = passwords.hash("pässword")

    assert "pässword" not in stored
    assert stored.startswith("$argon2id$")
    assert passwords.hash("pässword") != stored
    assert passwords.verify(stored, "pässword")
    assert not passwords.verify(stored, "password")


@pytest.mark.parametrize("stored", ["", "no hash", "$argon2id$v=19$broken"])
def test_what_is_no_hash_is_of_no_password(passwords: Argon2Passwords, stored: str) -> None:
    assert not passwords.verify(stored, "")
    assert not passwords.verify(stored, "\udcff")
    assert not passwords.remembers(stored, "")


def test_what_was_right_is_remembered_for_a_while_and_with_its_hash_alone(
    passwords: Argon2Passwords, clock: Clock
) -> None:
    stored, other = passwords.hash("right"), passwords.hash("right")
    assert not passwords.remembers(stored, "right")
    passwords.verify(stored, "right")
    passwords.verify(stored, "wrong")

    assert passwords.remembers(stored, "right")
    assert not passwords.remembers(stored, "wrong")
    assert not passwords.remembers(other, "right")
    clock.now_s = 60
    assert not passwords.remembers(stored, "right")


def test_what_is_remembered_shows_no_password(passwords: Argon2Passwords) -> None:
    stored = passwords.hash("right")
    passwords.verify(stored, "right")

    assert "right" not in repr(vars(passwords))
