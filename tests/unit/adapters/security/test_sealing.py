"""
Encryption of what is kept.
"""

from base64 import b64decode, b64encode

import pytest

from odim_relay.adapters.security.sealing import AesGcmSealer, key_id_of, new_encryption_key
from odim_relay.errors import SealedError

OLD, NEW = bytes(32), bytes(range(32))


def test_what_is_sealed_is_opened_by_its_key_wherever_that_stands() -> None:
    sealed = AesGcmSealer([OLD]).seal("höchst geheim", bound_to="s")

    assert "geheim" not in sealed
    assert AesGcmSealer([NEW, OLD]).open(sealed, bound_to="s") == "höchst geheim"


def test_the_newest_key_seals() -> None:
    both = AesGcmSealer([NEW, OLD])
    sealed, older = both.seal("x", bound_to="s"), AesGcmSealer([OLD]).seal("x", bound_to="s")

    assert (both.is_current(sealed), both.is_current(older)) == (True, False)
    assert both.key_id(sealed) == key_id_of(NEW)
    assert AesGcmSealer([NEW]).open(sealed, bound_to="s") == "x"


def test_twice_the_same_is_not_seen_to_be_the_same() -> None:
    sealer = AesGcmSealer([NEW])
    assert sealer.seal("x", bound_to="s") != sealer.seal("x", bound_to="s")


def test_without_a_key_nothing_is_sealed_or_opened() -> None:
    none = AesGcmSealer()
    assert not none.can_seal
    with pytest.raises(SealedError):
        none.open(AesGcmSealer([NEW]).seal("x", bound_to="s"), bound_to="s")


def test_what_belongs_to_another_is_not_opened() -> None:
    sealer = AesGcmSealer([NEW])
    with pytest.raises(SealedError):
        sealer.open(sealer.seal("x", bound_to="s"), bound_to="t")


@pytest.mark.parametrize("change", ["cut", "flip", "garbage", "empty", "no dot"])
def test_what_was_changed_is_not_opened(change: str) -> None:
    sealer = AesGcmSealer([NEW])
    key_id, _, text = sealer.seal("secret", bound_to="s").partition(".")
    raw = b64decode(text)
    changed = {
        "cut": f"{key_id}.{b64encode(raw[:20]).decode()}",
        "flip": f"{key_id}.{b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode()}",
        "garbage": f"{key_id}.%%%",
        "empty": f"{key_id}.",
        "no dot": key_id,
    }[change]

    with pytest.raises(SealedError):
        sealer.open(changed, bound_to="s")


def test_the_error_names_the_setting_the_key_and_what_is_meant() -> None:
    sealed = AesGcmSealer([OLD]).seal("x", bound_to="subscription s")
    with pytest.raises(SealedError) as refused:
        AesGcmSealer([NEW]).open(sealed, bound_to="subscription s")

    said = str(refused.value)
    assert "the secrets of subscription s cannot be read" in said
    assert f"SECRETS__ENCRYPTION_KEYS has no key {key_id_of(OLD)}" in said


def test_a_key_that_is_made_is_one() -> None:
    assert len(b64decode(new_encryption_key(), validate=True)) == 32
    assert new_encryption_key() != new_encryption_key()
