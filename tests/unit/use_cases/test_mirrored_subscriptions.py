from dataclasses import replace
from ipaddress import ip_network

import pytest

from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.subscription import Subscription
from odim_relay.errors import TransientError
from tests.fakes.followed_odim import ID, OTHER, THEIRS, FollowedOdim
from tests.unit.use_cases.conftest import Logs


@pytest.fixture
def world() -> FollowedOdim:
    return FollowedOdim()


def test_a_changed_subscription_is_stored_and_what_waits_for_it_is_looked_at(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.read()
    world.odim.subscriptions = {replace(THEIRS, destination="https://t.example/").row()}

    world.read()

    found = world.store.get(ID)
    assert found is not None
    assert found.destination == "https://t.example/"
    assert found.revision == 1
    assert found.created_at_s == 1_700_000_000
    assert world.woken == [ID]


def test_a_subscription_that_was_imported_is_left_alone_also_when_odim_has_it_no_more(world: FollowedOdim) -> None:
    own = Subscription(subscription_id=ID, destination="https://own.example/")
    world.odim.subscriptions = {THEIRS.row()}
    world.read()
    world.store.save(own)
    generation = world.state.generation

    world.read()
    assert world.state.generation == generation
    world.odim.subscriptions = set()
    world.read()
    world.read(after_s=3_600)

    assert world.store.get(ID) == own


def test_a_subscription_that_is_imported_at_the_same_moment_is_left_alone(world: FollowedOdim) -> None:
    own = Subscription(subscription_id=ID, destination="https://own.example/")
    world.odim.subscriptions = {THEIRS.row()}
    world.read()
    theirs = world.store.get(ID)
    assert theirs is not None
    world.store.comes_next = own
    world.odim.subscriptions = {replace(THEIRS, destination="https://t.example/").row()}
    world.read()
    assert world.store.get(ID) == own

    world.odim.subscriptions = set()
    world.store.save(theirs)
    world.read()
    world.store.save(theirs)
    world.read(after_s=3)
    assert world.store.get(ID) == own


def test_one_that_cannot_be_sent_to_is_refused_and_keeps_no_other_from_being_served(world: FollowedOdim) -> None:
    world.odim.subscriptions = {
        THEIRS.row(),
        replace(THEIRS, id=OTHER, destination="https://127.0.0.1/").row(),
        replace(THEIRS, id="1", message_ids=(" x",)).row(),
    }
    world.read()
    assert world.store.ids() == [ID]
    assert world.report["skipped"] == {"refused": 2}


def test_what_is_served_already_stays_when_the_rules_for_destinations_change(world: FollowedOdim) -> None:
    world.odim.subscriptions = {replace(THEIRS, destination="https://10.1.1.1/").row()}
    world.read()
    world.restart(egress=EgressPolicy(deny=(ip_network("10.0.0.0/8"),)))

    world.read()
    world.read(after_s=3_600)

    assert world.store.get(ID) is not None


def test_what_is_served_already_can_be_changed_otherwise_when_the_rules_for_destinations_change(
    world: FollowedOdim,
) -> None:
    theirs = replace(THEIRS, destination="https://10.1.1.1/")
    world.odim.subscriptions = {theirs.row()}
    world.read()
    world.restart(egress=EgressPolicy(deny=(ip_network("10.0.0.0/8"),)))
    world.odim.subscriptions = {replace(theirs, name="other").row()}

    world.read()

    found = world.store.get(ID)
    assert found is not None
    assert found.name == "other"
    assert world.report["skipped"] == {}


def test_what_somebody_deleted_here_comes_back_also_where_nobody_knows_what_was_deleted(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.read()
    world.read()
    world.store.delete(ID)
    world.state.generations.clear()

    world.read()

    assert world.store.get(ID) is not None


def test_a_change_that_is_refused_leaves_what_is_served(world: FollowedOdim) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.read()
    world.odim.subscriptions = {replace(THEIRS, destination="ftp://elsewhere/").row()}

    world.read()
    world.read(after_s=3_600)

    found = world.store.get(ID)
    assert found is not None
    assert found.destination == THEIRS.destination
    assert world.report["skipped"] == {"refused": 1}


def test_that_nobody_can_be_woken_does_not_keep_a_change_from_being_stored(world: FollowedOdim, logs: Logs) -> None:
    world.odim.subscriptions = {THEIRS.row()}
    world.read()

    def fail(_: str) -> None:
        raise TransientError("the broker is away")

    world.restart(wake=fail)
    world.odim.subscriptions = {replace(THEIRS, name="other").row()}
    world.read()
    found = world.store.get(ID)
    assert found is not None
    assert found.name == "other"
    assert "subscription.not_woken" in [line["event"] for line in logs]
