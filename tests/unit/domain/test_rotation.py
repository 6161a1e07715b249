from dataclasses import replace

from odim_relay.domain.rotation import (
    finished_rotation,
    live_secrets,
    rotated_key,
    rotated_secret,
)
from odim_relay.domain.signing import RetiredSecret
from odim_relay.domain.subscription import Subscription

PLAIN = Subscription(subscription_id="s", destination="https://receiver.example/")
SIGNED = replace(PLAIN, signing_secret="whsec_1", signing_key="whsk_1")
NOW_S, DAY_S = 1_000.5, 86_400


def test_the_old_secret_signs_beside_the_new_one_until_the_overlap_ends() -> None:
    rotated = rotated_secret(SIGNED, "whsec_2", now_s=NOW_S, overlap_s=DAY_S)

    assert live_secrets(rotated, NOW_S) == ("whsec_2", "whsk_1", "whsec_1")
    assert live_secrets(rotated, NOW_S + DAY_S - 1) == ("whsec_2", "whsk_1", "whsec_1")
    assert live_secrets(rotated, NOW_S + DAY_S) == ("whsec_2", "whsk_1")


def test_keys_are_rotated_as_secrets_are_and_each_by_itself() -> None:
    rotated = rotated_key(
        rotated_secret(SIGNED, "whsec_2", now_s=NOW_S, overlap_s=DAY_S), "whsk_2", now_s=NOW_S, overlap_s=2 * DAY_S
    )

    assert live_secrets(rotated, NOW_S) == ("whsec_2", "whsk_2", "whsec_1", "whsk_1")
    assert live_secrets(rotated, NOW_S + DAY_S) == ("whsec_2", "whsk_2", "whsk_1")


def test_two_are_the_most_of_each() -> None:
    once = rotated_secret(SIGNED, "whsec_2", now_s=NOW_S, overlap_s=DAY_S)

    twice = rotated_secret(once, "whsec_3", now_s=NOW_S, overlap_s=DAY_S)

    assert live_secrets(twice, NOW_S) == ("whsec_3", "whsk_1", "whsec_2")


def test_the_same_secret_again_changes_nothing() -> None:
    once = rotated_secret(SIGNED, "whsec_2", now_s=NOW_S, overlap_s=DAY_S)

    assert rotated_secret(once, "whsec_2", now_s=NOW_S + 1, overlap_s=DAY_S) == once
    assert rotated_key(once, "whsk_1", now_s=NOW_S + 1, overlap_s=DAY_S) == once


def test_without_overlap_and_with_nothing_the_old_one_signs_no_more() -> None:
    once = rotated_secret(SIGNED, "whsec_2", now_s=NOW_S, overlap_s=DAY_S)

    assert live_secrets(rotated_secret(once, "whsec_3", now_s=NOW_S, overlap_s=0), NOW_S) == ("whsec_3", "whsk_1")
    assert live_secrets(rotated_secret(once, "", now_s=NOW_S, overlap_s=DAY_S), NOW_S) == ("whsk_1",)
    assert live_secrets(finished_rotation(once), NOW_S) == ("whsec_2", "whsk_1")


def test_the_first_secret_retires_none() -> None:
    first = rotated_secret(PLAIN, "whsec_1", now_s=NOW_S, overlap_s=DAY_S)

    assert (first.signing_secret, first.retired_secrets) == ("whsec_1", ())


def test_no_secret_is_in_what_a_subscription_looks_like_as_text() -> None:
    retired = RetiredSecret(secret="whsec_1", until_s=1)
    assert "whs" not in repr(replace(SIGNED, retired_secrets=(retired,)))
