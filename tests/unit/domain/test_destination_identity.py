import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.authentication import Basic, Bearer, ClientCredentials
from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.signing import RetiredSecret
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy
from tests.fakes.samples import subscription

ONE = subscription("s", destination="https://receiver.example/hook")


def id_of(url: str, *headers: tuple[str, str]) -> str:
    return destination_id(replace(ONE, destination=url, headers=headers))


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://receiver.example/hook", "HTTPS://Receiver.EXAMPLE/hook"),
        ("https://receiver.example/hook", "https://receiver.example:443/hook"),
        ("http://receiver.example/hook", "http://receiver.example:80/hook"),
        ("https://receiver.example/hook", "https://receiver.example./hook"),
        ("https://receiver.example", "https://receiver.example/"),
        ("https://receiver.example/hook", "https://receiver.example/hook?"),
        ("https://[2001:DB8::1]/", "https://[2001:db8::1]:443/"),
        ("https://[2001:db8:0:0::1]/", "https://[2001:db8::1]/"),
    ],
)
def test_spellings_of_one_url_are_one_destination(url: str, same: str) -> None:
    assert id_of(url) == id_of(same)


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("https://receiver.example/hook", "http://receiver.example/hook"),
        ("https://receiver.example/hook", "https://receiver.example:8443/hook"),
        ("http://receiver.example:443/hook", "https://receiver.example/hook"),
        ("https://receiver.example/hook", "https://receiver.example/Hook"),
        ("https://receiver.example/hook", "https://receiver.example/hook/"),
        ("https://receiver.example/hook", "https://receiver.example/hook?a=b"),
        ("https://receiver.example/hook?a=b", "https://receiver.example/hook?a=c"),
        ("https://receiver.example/hook", "https://other.example/hook"),
        ("https://receiver.example/hook", "https://alice:secret@receiver.example/hook"),
        ("https://alice:secret@receiver.example/hook", "https://bob:secret@receiver.example/hook"),
        ("https://[2001:db8::1]/", "https://[2001:db8::2]/"),
        ("https://[2001:db8::1:443]/", "https://[2001:db8::1]:443/"),
    ],
)
def test_other_urls_are_other_destinations(url: str, other: str) -> None:
    assert id_of(url) != id_of(other)


def test_the_same_url_with_other_credentials_is_another_destination_by_rule_l29() -> None:
    ids = {
        id_of(ONE.destination),
        id_of(ONE.destination, ("Authorization", "Bearer a")),
        id_of(ONE.destination, ("Authorization", "Bearer b")),
        id_of(ONE.destination, ("X-Key", "Bearer a")),
        id_of(ONE.destination, ("Authorization", "Bearer a"), ("X-Key", "Bearer a")),
    }

    assert len(ids) == 5


def test_the_same_url_with_other_backups_or_verified_otherwise_is_another_destination() -> None:
    backups = ("https://b.example/", "https://c.example/")
    ids = {
        id_of(ONE.destination),
        *(destination_id(replace(ONE, verify_certificate=verify)) for verify in (True, False)),
        *(destination_id(replace(ONE, backup_destinations=backups[:count])) for count in (1, 2)),
        destination_id(replace(ONE, backup_destinations=backups[::-1])),
    }

    assert len(ids) == 6
    spelled = replace(ONE, backup_destinations=("HTTPS://B.example:443",))
    assert destination_id(spelled) == destination_id(replace(ONE, backup_destinations=backups[:1]))


def test_a_plain_one_has_the_name_that_ledgers_know_it_by() -> None:
    assert id_of(ONE.destination) == "e19b73745b1ecd2a"
    assert id_of(ONE.destination, ("A", "1")) == "1140956a3579ce90"


def test_neither_the_order_nor_the_case_of_header_names_counts() -> None:
    assert id_of(ONE.destination, ("A", "1"), ("B", "2")) == id_of(ONE.destination, ("b", "2"), ("a", "1"))


def test_a_header_cannot_be_mistaken_for_a_part_of_the_url() -> None:
    assert id_of("https://receiver.example/a", ("b", "c")) != id_of("https://receiver.example/", ("ab", "c"))


def test_who_we_are_is_part_of_it() -> None:
    credentials = ClientCredentials(token_url="https://idp.test/", client_id="me", client_secret="s")
    authentications = [
        None,
        Basic(username="a", password="b"),
        Basic(username="a", password="c"),
        Bearer(token="a"),
        credentials,
        replace(credentials, scope="x"),
    ]

    assert len({destination_id(replace(ONE, authentication=one)) for one in authentications}) == len(authentications)


def test_nothing_else_of_a_subscription_counts() -> None:
    other = replace(
        ONE,
        subscription_id="other",
        name="other",
        context="other",
        filters=Filters(event_types=("Alert",)),
        mode=Mode.ORDERED,
        retry_policy=RetryPolicy.SUSPEND,
        created_at_s=1,
        signing_secret="whsec_other",
        signing_key="whsk_other",
        retired_secrets=(RetiredSecret(secret="whsec_old", until_s=1),),
        owner="other",
        rate_per_s=1,
    )

    assert destination_id(other) == destination_id(ONE)


@given(url=st.sampled_from(["http://a/", "https://[::1]:1/x?y"]), value=st.text())
def test_it_is_16_hexadecimal_digits_and_tells_no_secret(url: str, value: str) -> None:
    assert re.fullmatch("[0-9a-f]{16}", id_of(url, ("Authorization", value)))
