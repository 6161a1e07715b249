"""
Ed25519 signatures, verified by the public half alone.
"""

from base64 import b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from odim_relay.adapters.security.signing import Ed25519Signer, new_signing_key
from odim_relay.domain.signing import check_signing_key, public_key_of, signed_content, signing_key_of


@pytest.fixture
def signer() -> Ed25519Signer:
    return Ed25519Signer()


def verify(public_key: str, signature: str, content: bytes) -> None:
    key = Ed25519PublicKey.from_public_bytes(b64decode(public_key.removeprefix("whpk_"), validate=True))
    key.verify(b64decode(signature.removeprefix("v1a,"), validate=True), content)


def test_a_signature_is_the_one_of_the_standards_own_example(signer: Ed25519Signer) -> None:
    key = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
    content = signed_content("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')

    made = signer.sign(key, content)

    assert made == "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
    assert signer.public_key(key) == "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="


# RFC 8032, 7.1: seed, public key, message, signature.
@pytest.mark.parametrize(
    ("seed", "public", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
                "24655141438e7a100b"
            ),
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a"
                "eeb00d291612bb0c00"
            ),
        ),
    ],
)
def test_keys_with_and_without_their_public_half_sign_as_the_rfc_says(
    signer: Ed25519Signer, seed: str, public: str, message: str, signature: str
) -> None:
    halves = bytes.fromhex(seed), bytes.fromhex(public)
    for key in (signing_key_of(halves[0], b""), signing_key_of(*halves)):
        assert b64decode(signer.sign(key, bytes.fromhex(message)).removeprefix("v1a,")).hex() == signature
        assert signer.public_key(key) == public_key_of(halves[1])


def test_a_key_that_is_made_signs_what_its_public_half_verifies(signer: Ed25519Signer) -> None:
    key, other = new_signing_key(), new_signing_key()
    assert check_signing_key(key) is None

    verify(signer.public_key(key), signer.sign(key, b"content"), b"content")

    with pytest.raises(InvalidSignature):
        verify(signer.public_key(key), signer.sign(key, b"content"), b"c0ntent")
    with pytest.raises(InvalidSignature):
        verify(signer.public_key(other), signer.sign(key, b"content"), b"content")
