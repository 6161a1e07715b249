"""
One delivery: where it stands, how it failed, what it carries; and what may be done about it when it is parked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from odim_relay import bootstrap
from odim_relay.api.ui import letters, words
from odim_relay.api.ui.confirming import Question, ask
from odim_relay.api.ui.pages.actions import told
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.uris import DELIVERIES, delivery_uri, subscription_uri
from odim_relay.api.ui.visit import PageError, PageReply, Visit, forbidden, see_other
from odim_relay.domain.delivery import State
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import AttemptRecord, DeliveryRecord, Index
from odim_relay.use_cases.letters_by_hand import Verb

MOST_SHOWN_BYTES = 65_536
_REFRESH_S = 3.0
_INDEX_WORDS = {
    Index.READY: "goes as soon as its turn comes",
    Index.DELAYED: "goes at the time of its next attempt, or when its destination recovers",
    Index.BY_HAND: "goes only when a person replays it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """
    Bytes as a page shows them.

    Attributes:
        text: as UTF-8; what is none, and what would change the lines around it, is written with a backslash.
        size: of all of them.
        is_cut: `text` is not all.
    """

    text: str
    size: int
    is_text: bool
    is_cut: bool


def payload_of(value: bytes, most: int = MOST_SHOWN_BYTES) -> Payload:
    """
    What can be shown of somebody else's bytes.
    """
    is_cut = len(value) > most
    read = value[:most].decode(errors="backslashreplace")
    text = words.CONTROLS.sub(lambda found: found[0].encode("unicode-escape").decode(), read)
    return Payload(text=text, size=len(value), is_text=_is_text(value), is_cut=is_cut)


def _is_text(value: bytes) -> bool:
    try:
        return words.CONTROLS.search(value.decode()) is None
    except UnicodeDecodeError:
        return False


def show(visit: Visit) -> PageReply:
    """
    The delivery as it stands.
    """
    delivery_id = visit.params["delivery_id"]
    listing = bootstrap.delivery_listing()
    attempts = bootstrap.attempt_listing().of_delivery(delivery_id)
    record = listing.delivery(delivery_id)
    if record is None:
        return _gone(delivery_id, attempts)
    value = listing.payload(record.event_id)
    subscription = _subscription(record)
    return PageReply(
        template="delivery.html",
        values={
            "record": record,
            "subscription": subscription,
            "index_words": _INDEX_WORDS.get(record.index, "") if record.index else "",
            "attempts": attempts,
            "payload": None if value is None else payload_of(value),
            "may_change": record.state is State.PARKED and not record.is_newer and _may_change(visit, subscription),
            "now_ms": bootstrap.ledger_figures().now_ms(),
        },
        every_s=_REFRESH_S,
    )


def _gone(delivery_id: str, attempts: Sequence[AttemptRecord]) -> PageReply:
    """
    What is remembered of one that left the ledger.
    """
    if not attempts:
        raise _missing()
    values = {"delivery_id": delivery_id, "attempts": attempts, "subscription_id": attempts[0].subscription_id}
    return PageReply(template="delivery_gone.html", values=values)


def ask_change(visit: Visit) -> PageReply:
    """
    Ask before it is replayed or discarded.
    """
    record, verb = _changeable(visit)
    text = {
        Verb.REPLAY: "It takes its turn again, at its old place. If it fails again, it is parked again.",
        Verb.DISCARD: "It is removed for good, unsent. This cannot be undone.",
    }[verb]
    here = delivery_uri(record.delivery_id)
    return ask(
        Question(
            title=f"{str(verb).capitalize()} this delivery?",
            subject=record.delivery_id,
            text=(text,),
            verb=str(verb).capitalize(),
            action=f"{here}/{verb}",
            back=here,
            is_final=verb is Verb.DISCARD,
        )
    )


def change(visit: Visit) -> PageReply:
    """
    Replay or discard it, and tell on its subscription's page what came of it.
    """
    record, verb = _changeable(visit)
    done = letters.change_one(verb, record)
    text = told(verb, done, 0) if done.count else "Nothing was done: it takes its turn already, or left meanwhile."
    return see_other(subscription_uri(record.subscription_id), told=text)


def _found(visit: Visit) -> DeliveryRecord:
    record = bootstrap.delivery_listing().delivery(visit.params["delivery_id"])
    if record is None:
        raise _missing()
    return record


def _missing() -> PageError:
    return PageError(
        404,
        "Not in the ledger",
        "There is no delivery of this id: it was delivered, left by a rule that is counted, or never was.",
    )


def _subscription(record: DeliveryRecord) -> Subscription | None:
    return bootstrap.subscription_store().get(record.subscription_id)


def _changeable(visit: Visit) -> tuple[DeliveryRecord, Verb]:
    try:
        verb = Verb(visit.params["action"])
    except ValueError:
        raise PageError(404, "No such page", "There is no such action.") from None
    record = _found(visit)
    if not _may_change(visit, _subscription(record)):
        raise forbidden()
    if record.state is not State.PARKED or record.is_newer:
        raise PageError(
            409,
            "Not possible now",
            "Only what is parked can be replayed or discarded, and only by a version that understands it.",
            back=(delivery_uri(record.delivery_id), "Go back to the delivery"),
        )
    return record, verb


def _may_change(visit: Visit, subscription: Subscription | None) -> bool:
    return visit.manages if subscription is None else visit.may_change(subscription)


PAGES = (
    Page(path=f"{DELIVERIES}/{{delivery_id}}", handlers={"GET": show}),
    Page(path=f"{DELIVERIES}/{{delivery_id}}/{{action}}", handlers={"GET": ask_change, "POST": change}),
)
