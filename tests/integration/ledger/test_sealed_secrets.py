"""
Secrets at rest: encrypted, encrypted anew, and not to be read.
"""

from dataclasses import replace

import pytest

from odim_relay.adapters.redis.identity import RedisServiceIdentity
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.adapters.security.sealing import AesGcmSealer
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.subscription import RetryPolicy, Subscription
from odim_relay.errors import ConfigurationError, SealedError
from odim_relay.ports import SealState
from odim_relay.use_cases.directory import MatcherDirectory, SubscriptionDirectory
from odim_relay.use_cases.rotate_secrets import Rotated, RotateSecrets
from tests.fakes.samples import subscription
from tests.integration.ledger.bench import Bench, ended
from tests.support.redis_dump import dump

pytestmark = pytest.mark.server

OLD, NEW = AesGcmSealer([bytes(32)]), AesGcmSealer([bytes(range(32))])
BOTH = AesGcmSealer([bytes(range(32)), bytes(32)])
NONE = AesGcmSealer()
PEM = "-----BEGIN CERTIFICATE-----\nhunter2\n"
SECRET = replace(subscription("secret"), signing_secret="whsec_hunter2")
OPEN = subscription("open")


def store(bench: Bench, sealer: AesGcmSealer) -> RedisSubscriptionStore:
    return RedisSubscriptionStore(bench.scripts, sealer)


def identity(bench: Bench, sealer: AesGcmSealer) -> RedisServiceIdentity:
    return RedisServiceIdentity(bench.scripts, sealer)


def rotating(bench: Bench, sealer: AesGcmSealer) -> RotateSecrets:
    return RotateSecrets(stores=(store(bench, sealer), identity(bench, sealer)), can_seal=sealer.can_seal)


@pytest.fixture
def filled(bench: Bench) -> Bench:
    """
    With secrets from before there was a key.
    """
    for one in (SECRET, OPEN):
        store(bench, NONE).save(one)
    identity(bench, NONE).keep_certificate(PEM, instead_of=None)
    assert "hunter2" in dump(bench.client)
    return bench


def test_what_stood_as_it_is_is_encrypted_and_reads_the_same(filled: Bench) -> None:
    assert dict(rotating(filled, NEW).states()) == {
        "secret": SealState.PLAIN,
        "the API's certificate": SealState.PLAIN,
    }

    assert rotating(filled, NEW)() == Rotated(resealed_count=2, current_count=0, unreadable=[])

    assert "hunter2" not in dump(filled.client)
    assert store(filled, NEW).get("secret") == SECRET
    assert store(filled, NEW).get("open") == OPEN
    assert identity(filled, NEW).certificate() == PEM
    assert rotating(filled, NEW)() == Rotated(resealed_count=0, current_count=2, unreadable=[])


def test_a_new_key_takes_over_while_the_old_one_reads(filled: Bench) -> None:
    rotating(filled, OLD)()

    assert store(filled, BOTH).get("secret") == SECRET
    assert rotating(filled, BOTH)().resealed_count == 2

    assert store(filled, NEW).get("secret") == SECRET
    assert identity(filled, NEW).certificate() == PEM
    found = store(filled, OLD).get("secret")
    assert found is not None
    assert found.sealed_by


def test_each_change_encrypts_with_the_newest(filled: Bench) -> None:
    rotating(filled, OLD)()

    store(filled, BOTH).update("secret", lambda one: replace(one, name="new"))

    assert store(filled, NEW).get("secret") == replace(SECRET, name="new")


def test_a_rotation_beside_a_change_keeps_the_change(filled: Bench) -> None:
    class Racing(RedisSubscriptionStore):
        has_raced = False

        def _save(self, subscription: Subscription, *, stands: str | bytes) -> bool:
            if not self.has_raced:
                self.has_raced = True
                store(filled, NEW).update("secret", lambda one: replace(one, name="changed"))
            return super()._save(subscription, stands=stands)

    racing = Racing(filled.scripts, NEW)

    racing.reseal("secret")

    assert store(filled, NEW).get("secret") == replace(SECRET, name="changed")


def test_without_any_key_there_is_nothing_to_rotate_to(filled: Bench) -> None:
    with pytest.raises(ConfigurationError, match="SECRETS__ENCRYPTION_KEYS is not set"):
        rotating(filled, NONE)()


def test_what_cannot_be_read_is_named_and_left_as_it_is(filled: Bench) -> None:
    rotating(filled, OLD)()
    before = dump(filled.client)

    assert rotating(filled, NEW)() == Rotated(
        resealed_count=0, current_count=0, unreadable=["secret", "the API's certificate"]
    )

    assert dump(filled.client) == before
    with pytest.raises(SealedError, match="the secrets of subscription secret cannot be read"):
        store(filled, NEW).update("secret", lambda one: replace(one, name="new"))
    with pytest.raises(SealedError, match="the secrets of the API's certificate cannot be read"):
        identity(filled, NEW).certificate()
    assert store(filled, NEW).delete("secret")


def test_the_others_go_on_where_one_cannot_be_read(filled: Bench) -> None:
    rotating(filled, OLD)()
    there = store(filled, NEW)
    directory = SubscriptionDirectory(there, filled.services)
    matchers = MatcherDirectory(there, filled.services, filled.inventory)

    matchers.refresh()

    # Matched all the same: what is for it waits.
    assert {id_ for id_, _ in matchers.matcher.whole(["secret", "open"])} == {"secret", "open"}
    assert directory.find("open", there.generation()) == OPEN
    found = directory.find("secret", there.generation())
    assert found is not None
    assert found.sealed_by


def test_of_two_processes_that_make_a_certificate_at_once_one_counts(bench: Bench) -> None:
    assert identity(bench, NEW).keep_certificate(PEM, instead_of=None) == PEM
    assert identity(bench, NEW).keep_certificate("-----BEGIN other", instead_of=None) == PEM
    assert identity(bench, NEW).keep_certificate("-----BEGIN newer", instead_of=PEM) == "-----BEGIN newer"
    assert identity(bench, NEW).keep_certificate("-----BEGIN late", instead_of=PEM) == "-----BEGIN newer"
    assert "BEGIN" not in dump(bench.client)


@pytest.mark.parametrize(
    ("outcome", "is_deleted"),
    [(Outcome(failure=Failure.SEALED, is_unsent=True), False), (Outcome(failure=Failure.CONNECT), True)],
)
def test_nobody_is_given_up_for_secrets_that_we_cannot_read(bench: Bench, outcome: Outcome, is_deleted: bool) -> None:
    bench = bench.under(retries=2, failure_spacing_ms=1_000, breaker_failures=100)
    bench.subscribe(retry_policy=RetryPolicy.TERMINATE)
    (ticket,) = bench.fill(1)
    for _ in range(3):
        aftermath = bench.deliveries.retry(bench.claim(ticket), 15, ended(outcome))
        bench.move(20)
        if aftermath.retry is not None:
            ticket = aftermath.retry

    assert (bench.store.get("s") is None) is is_deleted


def test_a_destination_whose_secrets_cannot_be_read_is_left_alone_and_comes_back(bench: Bench) -> None:
    bench = bench.under(breaker_failures=5)
    destination = bench.subscribe()
    tickets = bench.fill(8)
    for ticket in tickets[:5]:
        bench.fail(ticket, Outcome(failure=Failure.SEALED, is_unsent=True))

    assert [bench.refusal(ticket) for ticket in tickets[5:]] == ["breaker_open"] * 3
    bench.move(31)
    probe, *_ = bench.replay()
    bench.succeed(probe)
    assert bench.breaker(destination)["state"] == "closed"
