"""
What may be done to a subscription: suspend, resume, send a test event, replay or discard its dead letters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from odim_relay import bootstrap
from odim_relay.api.ui import letters, words
from odim_relay.api.ui.confirming import Question, Span, ask
from odim_relay.api.ui.forms import read_span_s
from odim_relay.api.ui.pages.subscription import found
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.uris import SUBSCRIPTIONS, subscription_uri
from odim_relay.api.ui.visit import PageError, PageReply, Visit, forbidden, see_other
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.formats.notices import delivery_test
from odim_relay.use_cases.letters_by_hand import Done, Verb
from odim_relay.use_cases.subscribe import SubscriptionMissingError

_WITHIN = "within"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """
    One of them.

    Attributes:
        question: what is asked before; gets the subscription.
        act: does it, and tells what came of it.
    """

    question: Callable[[Subscription], Question]
    act: Callable[[Visit, Subscription], str]


def _question(subscription: Subscription, name: str, **members: object) -> Question:
    here = subscription_uri(subscription.subscription_id)
    subject = subscription.name or subscription.subscription_id
    given: dict[str, object] = {"action": f"{here}/{name}", "back": here, "subject": subject, **members}
    return Question(**given)  # type: ignore[arg-type] # as `Question` says


def _ask_suspend(subscription: Subscription) -> Question:
    return _question(
        subscription,
        "suspend",
        title="Suspend this subscription?",
        text=(
            "Nothing is sent to it until it is resumed.",
            "Its events are collected meanwhile, and are kept as long as its retention says.",
        ),
        verb="Suspend",
    )


def _suspend(visit: Visit, subscription: Subscription) -> str:
    del visit
    done = bootstrap.suspend().suspend(subscription.subscription_id)
    return "Suspended: nothing is sent, and events are collected." if done else "It was suspended already."


def _ask_resume(subscription: Subscription, value: str = "", problem: str = "") -> Question:
    return _question(
        subscription,
        "resume",
        title="Resume this subscription?",
        text=("What was collected for it is sent, oldest first, and then whatever comes.",),
        verb="Resume",
        span=Span(
            name=_WITHIN,
            label="Send only what came within the last",
            hint="Such as 90 s, 15 min, 2 h or 1 d; empty sends all. What is older is discarded for good.",
            value=value,
            problem=problem,
        ),
    )


def _resume(visit: Visit, subscription: Subscription) -> str:
    resumed = bootstrap.suspend().resume(subscription.subscription_id, read_span_s(visit.form.get(_WITHIN, "")))
    waiting = words.plural(resumed.parked_count, "delivery")
    return f"Resumed: {waiting} had waited." if resumed.was_suspended else "It was not suspended."


def _ask_test(subscription: Subscription) -> Question:
    return _question(
        subscription,
        "test",
        title="Send a test event?",
        text=(
            "It gets an event with the message TestMessage of the registry ResourceEvent, whatever it wants otherwise.",
            "While it is suspended or its destination fails, the test waits as any event does.",
        ),
        verb="Send the test event",
    )


def _test(visit: Visit, subscription: Subscription) -> str:
    del visit
    if not bootstrap.event_service().read().is_enabled:
        raise PageError(
            409,
            "The EventService is disabled",
            "Nothing is sent to anybody until it is enabled, so no test event was made.",
            back=(subscription_uri(subscription.subscription_id), "Go back to the subscription"),
        )
    notice = delivery_test(event_id=bootstrap.new_id(), at=datetime.now(UTC))
    count = bootstrap.announce().by_hand(notice.body, only=[subscription.subscription_id])
    return "A test event is on its way." if count else "No test event was made: the subscription is gone."


def _ask_replay(subscription: Subscription) -> Question:
    count = letters.dead_letter_count(subscription.subscription_id)
    return _question(
        subscription,
        "replay",
        title="Replay its dead letters?",
        text=(
            f"{words.plural(count, 'dead letter')}: each takes its turn again, at its old place.",
            "That is the way out for what was refused by mistake. What fails again is parked again.",
        ),
        verb=f"Replay {words.plural(count, 'dead letter')}",
    )


def _ask_discard(subscription: Subscription) -> Question:
    count = letters.dead_letter_count(subscription.subscription_id)
    return _question(
        subscription,
        "discard",
        title="Discard its dead letters?",
        text=(f"{words.plural(count, 'dead letter')} are removed for good, unsent. This cannot be undone.",),
        verb=f"Discard {words.plural(count, 'dead letter')}",
        is_final=True,
    )


def _change(verb: Verb) -> Callable[[Visit, Subscription], str]:
    def act(visit: Visit, subscription: Subscription) -> str:
        del visit
        done, left = letters.change_dead_letters(verb, subscription.subscription_id)
        return told(verb, done, left)

    return act


def told(verb: Verb, done: Done, left: int) -> str:
    """
    What a change of dead letters came to.
    """
    what = {Verb.REPLAY: "replayed", Verb.DISCARD: "discarded"}[verb]
    text = f"{words.plural(done.count, 'dead letter')} {what}."
    if left:
        text += f" {words.plural(left, 'dead letter')} left: {verb} again to go on."
    if not done.is_published:
        text += " The broker is away: they go when it is back."
    return text


ACTIONS = {
    "suspend": Action(question=_ask_suspend, act=_suspend),
    "resume": Action(question=_ask_resume, act=_resume),
    "test": Action(question=_ask_test, act=_test),
    "replay": Action(question=_ask_replay, act=_change(Verb.REPLAY)),
    "discard": Action(question=_ask_discard, act=_change(Verb.DISCARD)),
}


def show(visit: Visit) -> PageReply:
    """
    Ask before it is done.
    """
    subscription = _own(visit)
    return ask(_action(visit).question(subscription))


def act(visit: Visit) -> PageReply:
    """
    Do it, and tell on the subscription's page what came of it.
    """
    subscription = _own(visit)
    try:
        text = _action(visit).act(visit, subscription)
    except ValueError as exc:
        return ask(_ask_resume(subscription, visit.form.get(_WITHIN, "")[:50], str(exc)), status=400)
    except SubscriptionMissingError:
        raise PageError(404, "No such subscription", "It was deleted meanwhile; nothing was done.") from None
    return see_other(subscription_uri(subscription.subscription_id), told=text)


def _action(visit: Visit) -> Action:
    action = ACTIONS.get(visit.params["action"])
    if action is None:
        raise PageError(404, "No such page", "There is no such action.")
    return action


def _own(visit: Visit) -> Subscription:
    _action(visit)
    subscription = found(visit)
    if not visit.may_change(subscription):
        raise forbidden()
    if subscription.kind is SubscriptionType.SSE:
        raise PageError(
            400,
            "Not for a stream",
            "A stream lasts as long as its client holds it open: nothing can be done to it here.",
        )
    return subscription


PAGES = (Page(path=f"{SUBSCRIPTIONS}/{{subscription_id}}/{{action}}", handlers={"GET": show, "POST": act}),)
