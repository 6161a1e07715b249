from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from threading import Thread

import pytest

from odim_relay.domain.actor import NOBODY, Actor, Channel
from odim_relay.domain.egress import EgressPolicy
from odim_relay.errors import TransientError
from odim_relay.ports import Action, Deed
from odim_relay.use_cases.audit import Audit, act_as, current_actor
from odim_relay.use_cases.subscribe import InvalidSubscriptionError, Subscribe, SubscriptionMissingError
from odim_relay.use_cases.suspend import Suspend
from tests.fakes.audit_log import InMemoryAuditLog
from tests.fakes.backlog_ledger import InMemoryBacklogLedger
from tests.fakes.relay import InMemoryRelay
from tests.fakes.samples import subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.unit.use_cases.conftest import Logs

ADMIN = Actor(name="admin", channel=Channel.API, client="192.0.2.7")


class AwayLog(InMemoryAuditLog):
    def note(self, deed: Deed) -> None:
        raise TransientError(f"Redis failed while noting {deed.action}")


@dataclass
class World:
    kept: InMemoryAuditLog = field(default_factory=InMemoryAuditLog)

    @property
    def audit(self) -> Audit:
        return Audit(self.kept)

    def as_admin(self, act: Callable[[], object]) -> None:
        """
        In a context of its own, as each request has.
        """

        def run() -> None:
            act_as(ADMIN)
            act()

        copy_context().run(run)


@pytest.fixture
def world(logs: Logs) -> World:  # noqa: ARG001 - what is told is not printed
    return World()


def test_what_is_done_is_noted_with_who_did_it(world: World, logs: Logs) -> None:
    def act() -> None:
        with world.audit(Action.SUBSCRIPTION_DELETED, "s", detail="why") as note:
            note.count = 3

    world.as_admin(act)

    assert world.kept.deeds == [
        Deed(action=Action.SUBSCRIPTION_DELETED, actor=ADMIN, subject="s", count=3, detail="why")
    ]
    assert logs == [
        {
            "event": "audit.noted",
            "action": "subscription.deleted",
            "actor": "admin",
            "channel": "api",
            "client": "192.0.2.7",
            "subject": "s",
            "count": 3,
            "detail": "why",
            "log_level": "info",
        }
    ]
    assert current_actor() == NOBODY


def test_who_does_it_is_known_in_a_thread_that_copies_the_context_and_in_no_other(world: World) -> None:
    found: list[Actor] = []

    def act() -> None:
        context = copy_context()
        threads = [
            Thread(target=lambda: found.append(context.run(current_actor))),
            Thread(target=lambda: found.append(current_actor())),
        ]
        for thread in threads:
            thread.start()
            thread.join()

    world.as_admin(act)

    assert found == [ADMIN, NOBODY]


@pytest.mark.parametrize("error", [TransientError("secret"), KeyError("secret"), KeyboardInterrupt()])
def test_what_failed_is_noted_by_the_kind_of_its_error_and_not_by_its_words(
    world: World, logs: Logs, error: BaseException
) -> None:
    def act() -> None:
        with world.audit(Action.LETTERS_REPLAYED) as note:
            note.add(5)
            raise error

    with pytest.raises(type(error)):
        act()

    (deed,) = world.kept.deeds
    assert (deed.error, deed.count) == (type(error).__name__, 5)
    assert "secret" not in f"{deed}{logs}"


def test_a_store_that_is_away_fails_nothing_and_is_told(logs: Logs) -> None:
    audit = Audit(AwayLog())

    with audit(Action.SUBSCRIPTION_CREATED, "s"):
        pass

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("audit.noted", "info"),
        ("audit.not_kept", "error"),
    ]


def test_an_error_comes_through_also_when_it_cannot_be_kept() -> None:
    with pytest.raises(KeyError), Audit(AwayLog())(Action.SUBSCRIPTION_CREATED):
        raise KeyError


def test_many_steps_of_one_deed_are_one_entry_and_others_within_it_their_own(world: World) -> None:
    with world.audit(Action.QUARANTINE_REPLAYED):
        for done in (1, 0, 1):
            with world.audit(Action.QUARANTINE_REPLAYED, "one") as note:
                note.count = done
        with world.audit(Action.QUARANTINE_REPLAYED):
            pass
        with world.audit(Action.SUBSCRIPTION_CREATED):
            pass
    with world.audit(Action.QUARANTINE_REPLAYED, "alone"):
        pass

    assert [(deed.action, deed.subject, deed.count) for deed in world.kept.deeds] == [
        (Action.SUBSCRIPTION_CREATED, "", None),
        (Action.QUARANTINE_REPLAYED, "", 3),
        (Action.QUARANTINE_REPLAYED, "alone", None),
    ]


def test_what_came_to_nothing_may_be_left_out(world: World) -> None:
    with world.audit(Action.SERVICE_CHANGED) as note:
        note.is_void = True

    assert world.kept.deeds == []


def test_subscriptions_that_come_change_and_go_are_noted_without_any_value(world: World) -> None:
    state = InMemoryRelay().state
    subscribe = Subscribe(
        store=InMemorySubscriptionStore(state),
        wake=lambda _: None,
        new_id=lambda: "new",
        now_s=lambda: 0.0,
        egress=EgressPolicy(),
        audit=world.audit,
    )
    secret = "whsec_" + "QUJD" * 8
    made = subscribe.create(subscription("x"))
    subscribe.update("new", lambda one: replace(one, signing_secret=secret, name="mine"))
    subscribe.update("new", lambda one: one, action=Action.SECRET_ROTATED)
    subscribe.delete("new")
    for refused in (
        lambda: subscribe.delete("new"),
        lambda: subscribe.create(replace(made, destination="ftp://u:password@example.test/")),
    ):
        with pytest.raises((SubscriptionMissingError, InvalidSubscriptionError)):
            refused()

    assert [(deed.action, deed.subject, deed.detail, deed.error) for deed in world.kept.deeds] == [
        (Action.SUBSCRIPTION_CREATED, "new", "", ""),
        (Action.SUBSCRIPTION_CHANGED, "new", "name, signing_secret", ""),
        (Action.SECRET_ROTATED, "new", "", ""),
        (Action.SUBSCRIPTION_DELETED, "new", "", ""),
        (Action.SUBSCRIPTION_DELETED, "new", "", "SubscriptionMissingError"),
        (Action.SUBSCRIPTION_CREATED, "", "", "InvalidSubscriptionError"),
    ]
    assert "password" not in str(world.kept.deeds)
    assert secret not in str(world.kept.deeds)


def test_who_suspends_and_resumes_is_noted(world: World, relay: InMemoryRelay) -> None:
    relay.ingest(subscription("s"))
    suspend = Suspend(ledger=InMemoryBacklogLedger(relay.state), publisher=relay.publisher, audit=Audit(world.kept))
    world.as_admin(lambda: [suspend.suspend("s"), suspend.suspend("s"), suspend.resume("s", 60)])

    assert [(deed.action, deed.detail, deed.count) for deed in world.kept.deeds] == [
        (Action.SUBSCRIPTION_SUSPENDED, "", None),
        (Action.SUBSCRIPTION_SUSPENDED, "was before", None),
        (Action.SUBSCRIPTION_RESUMED, "what came before 60 s ago is discarded", 0),
    ]
    assert {deed.actor for deed in world.kept.deeds} == {ADMIN}
