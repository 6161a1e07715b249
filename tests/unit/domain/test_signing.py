import hashlib
import hmac
from base64 import b64encode

import pytest

from odim_relay.domain.signing import check_signing_secret, signature, signing_secret_of

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
