"""
Subscriptions as documents, with and without encryption.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from odim_relay.adapters.redis.subscription_codec import SubscriptionCodec
from odim_relay.adapters.security.sealing import AesGcmSealer, key_id_of
from odim_relay.domain.authentication import Basic, Bearer, ClientCredentials
from odim_relay.domain.signing import RetiredSecret
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.errors import SealedError
from odim_relay.ports import SealState

OLD, NEW = bytes(32), bytes(range(32))
PLAIN = SubscriptionCodec(AesGcmSealer())
SEALING = SubscriptionCodec(AesGcmSealer([NEW]))
OPEN = Subscription(
    subscription_id="s", destination="https://receiver.example/hook", filters=Filters(event_types=("Alert",))
)
SECRET = replace(
    OPEN,
    destination="https://receiver.example/hook?key=hunter2",
    backup_destinations=("https://ann:hunter2@backup.example/",),
    headers=(("X-Key", "hunter2"), ("X-Empty", "")),
    signing_secret="whsec_hunter2",
    signing_key="whsk_hunter2",
    retired_secrets=(RetiredSecret(secret="whsec_hunter2old", until_s=7),),
    authentication=ClientCredentials(token_url="https://idp.example/", client_id="me", client_secret="hunter2"),
)


@pytest.mark.parametrize("codec", [PLAIN, SEALING])
@pytest.mark.parametrize(
    "subscription",
    [
        OPEN,
        SECRET,
        replace(OPEN, authentication=Basic(username="ann", password="hunter2")),
        replace(OPEN, authentication=Bearer(token="hunter2")),
    ],
)
def test_it_comes_back_as_it_was(codec: SubscriptionCodec, subscription: Subscription) -> None:
    assert codec.decode(codec.encode(subscription)) == subscription


def test_nothing_secret_stands_in_a_sealed_document() -> None:
    document = SEALING.encode(SECRET)

    assert "hunter2" not in document
    members = json.loads(document)
    assert (members["version"], members["destination"]) == (2, "https://receiver.example/hook")
    assert members["headers"] == [["X-Key", ""], ["X-Empty", ""]]
    assert members["filters"]["event_types"] == ["Alert"]


def test_one_without_secrets_needs_no_key() -> None:
    document = SEALING.encode(OPEN)

    assert "sealed" not in json.loads(document)
    assert PLAIN.decode(document) == OPEN
    assert SEALING.state(document) is None


def test_documents_of_before_are_read() -> None:
    old: dict[str, Any] = json.loads(PLAIN.encode(replace(OPEN, signing_secret="whsec_1")))
    for name in ("signing_key", "retired_secrets", "authentication"):
        del old[name]

    found = SEALING.decode(json.dumps(old))

    assert found == replace(OPEN, signing_secret="whsec_1")
    assert SEALING.state(json.dumps(old)) is SealState.PLAIN


def test_without_its_key_it_is_known_what_is_wanted_and_not_how_it_is_sent() -> None:
    found = SubscriptionCodec(AesGcmSealer([OLD])).decode(SEALING.encode(SECRET))

    assert found.sealed_by == key_id_of(NEW)
    assert (found.subscription_id, found.filters) == ("s", SECRET.filters)
    assert (found.signing_secret, found.signing_key, found.authentication) == ("", "", None)


def test_what_could_not_be_read_is_not_written() -> None:
    found = PLAIN.decode(SEALING.encode(SECRET))

    with pytest.raises(SealedError, match="the secrets of subscription s cannot be read"):
        SEALING.encode(found)


def test_a_document_of_another_is_not_opened() -> None:
    moved = json.loads(SEALING.encode(SECRET)) | {"subscription_id": "t"}

    assert SEALING.decode(json.dumps(moved)).sealed_by == key_id_of(NEW)


def test_it_is_told_how_a_document_stands() -> None:
    both = SubscriptionCodec(AesGcmSealer([NEW, OLD]))
    older = SubscriptionCodec(AesGcmSealer([OLD])).encode(SECRET)

    assert both.state(older) is SealState.OLDER
    assert both.state(both.encode(SECRET)) is SealState.CURRENT
    assert both.state(PLAIN.encode(SECRET)) is SealState.PLAIN
    assert SEALING.state(older) is SealState.UNREADABLE
