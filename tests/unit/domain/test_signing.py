import hashlib
import hmac
from base64 import b64encode

import pytest

from odim_relay.domain.signing import (
    check_signing_key,
    check_signing_secret,
    is_signing_key,
    signature,
    signing_key_of,
    signing_secret_of,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_signature_is_the_one_of_the_standards_own_example() -> None:
    made = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_id_time_and_body_are_signed_as_one() -> None:
    key = bytes(range(32))

    made = signature(signing_secret_of(key), "id", "7", b"body\xff")

    assert made == "v1," + b64encode(hmac.new(key, b"id.7.body\xff", hashlib.sha256).digest()).decode()


@pytest.mark.parametrize("length", [24, 64])
def test_a_key_of_24_to_64_bytes_is_a_secret(length: int) -> None:
    assert check_signing_secret(signing_secret_of(bytes(length))) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not begin with whsec_"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "has something behind whsec_ that is not base64"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La-_Sw", "has something behind whsec_ that is not base64"),
        ("whsec_\u00fcfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "has something behind whsec_ that is not base64"),
        ("whsec_", "holds 0 bytes; 24 to 64 make a secret"),
        (signing_secret_of(bytes(23)), "holds 23 bytes; 24 to 64 make a secret"),
        (signing_secret_of(bytes(65)), "holds 65 bytes; 24 to 64 make a secret"),
    ],
)
def test_what_is_wrong_with_a_secret_is_told_without_it(text: str, problem: str) -> None:
    assert check_signing_secret(text) == problem


@pytest.mark.parametrize("size", [32, 64])
def test_a_key_may_come_with_its_public_half(size: int) -> None:
    assert check_signing_key("whsk_" + b64encode(bytes(size)).decode()) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not begin with whsk_"),
        (SECRET, "does not begin with whsk_"),
        ("whpk_" + b64encode(bytes(32)).decode(), "is a public key; the private one, which begins with whsk_, signs"),
        ("whsk_!", "has something behind whsk_ that is not base64"),
        (signing_key_of(bytes(31), b""), "holds 31 bytes; an ed25519 key has 32, or 64 with its public half"),
        (signing_key_of(bytes(32), bytes(31)), "holds 63 bytes; an ed25519 key has 32, or 64 with its public half"),
    ],
)
def test_what_is_wrong_with_a_key_is_told_without_it(text: str, problem: str) -> None:
    assert check_signing_key(text) == problem


def test_keys_and_secrets_are_told_apart() -> None:
    assert is_signing_key(signing_key_of(bytes(32), b""))
    assert not is_signing_key(SECRET)
