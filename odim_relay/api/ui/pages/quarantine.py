"""
Records that could not be understood: looked at, taken in after all, or discarded.
"""

from itertools import islice

from odim_relay import bootstrap
from odim_relay.api.ui import words
from odim_relay.api.ui.confirming import Question, ask
from odim_relay.api.ui.forms import read_number
from odim_relay.api.ui.listing import page_of
from odim_relay.api.ui.pages.deliveries import payload_of
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.uris import QUARANTINE, QUARANTINE_ENTRY, entry_uri
from odim_relay.api.ui.visit import PageError, PageReply, Visit, forbidden, see_other
from odim_relay.ports import QuarantinedRecord
from odim_relay.use_cases.quarantine import NotThere, Stays, TakenIn

MOST_LISTED = 1_000
"""
Beyond that it takes the command line.
"""
_REFRESH_S = 5.0
_BACK = (QUARANTINE, "Go to the quarantine")


def show(visit: Visit) -> PageReply:
    """
    One page of them, oldest first; of very many the oldest.
    """
    entries = list(islice(bootstrap.quarantine_listing().entries(), MOST_LISTED))
    page = read_number(visit.query.get("page", ""), least=1, most=MOST_LISTED, default=1)
    values = {
        "paged": page_of(entries, page),
        "is_cut": len(entries) >= MOST_LISTED,
        "now_ms": bootstrap.ledger_figures().now_ms(),
    }
    return PageReply(template="quarantine.html", values=values, every_s=_REFRESH_S)


def show_entry(visit: Visit) -> PageReply:
    """
    One of them, with its bytes.
    """
    entry, value = _found(visit)
    values = {"entry": entry, "payload": payload_of(value), "may_change": visit.manages}
    return PageReply(template="quarantine_entry.html", values=values)


def ask_replay(visit: Visit) -> PageReply:
    """
    Ask before it is taken in.
    """
    text = (
        "Today's decoders read it again, and its events go to whoever wants them today. If it cannot be understood "
        "today either, it stays where it is."
    )
    return _ask(visit, "replay", "Take this record in again?", text, "Take it in")


def ask_discard(visit: Visit) -> PageReply:
    """
    Ask before it is discarded.
    """
    text = "It is removed for good, and nobody gets its events. This cannot be undone."
    return _ask(visit, "discard", "Discard this record?", text, "Discard", is_final=True)


def replay(visit: Visit) -> PageReply:
    """
    Take it in, and tell what came of it.
    """
    _require_manager(visit)
    entry, _ = _found(visit)
    match bootstrap.replay_quarantine()(entry.entry_id):
        case TakenIn() as taken:
            counts = words.plural(taken.event_count, "event"), words.plural(taken.delivery_count, "delivery")
            return see_other(QUARANTINE, told=f"Taken in: {', '.join(counts)}.")
        case Stays(reason=reason, detail=detail):
            text = f"It stays in quarantine: {reason}: {words.shown(detail, 200)}"
            return see_other(entry_uri(entry.entry_id), told=text)
        case NotThere():
            return see_other(QUARANTINE, told="Somebody else took it out meanwhile.")


def discard(visit: Visit) -> PageReply:
    """
    Remove it for good.
    """
    _require_manager(visit)
    entry, _ = _found(visit)
    count = bootstrap.quarantine_ledger().discard([entry.entry_id])
    return see_other(QUARANTINE, told="Discarded: 1 record." if count else "Somebody else took it out meanwhile.")


def _ask(visit: Visit, name: str, title: str, text: str, verb: str, *, is_final: bool = False) -> PageReply:
    _require_manager(visit)
    entry, _ = _found(visit)
    return ask(
        Question(
            title=title,
            subject=entry.record,
            text=(text,),
            verb=verb,
            action=f"{QUARANTINE}/{name}",
            hidden=(("id", entry.entry_id),),
            back=entry_uri(entry.entry_id),
            is_final=is_final,
        )
    )


def _found(visit: Visit) -> tuple[QuarantinedRecord, bytes]:
    entry_id = visit.form.get("id", "") or visit.query.get("id", "")
    if not entry_id:
        raise PageError(400, "Which record?", "The address or the form does not name a record.", back=_BACK)
    found = bootstrap.quarantine_listing().entry(entry_id)
    if found is None:
        raise PageError(404, "Not in quarantine", "This record is not in quarantine, or not any more.", back=_BACK)
    return found


def _require_manager(visit: Visit) -> None:
    if not visit.manages:
        raise forbidden()


PAGES = (
    Page(path=QUARANTINE, handlers={"GET": show}),
    Page(path=QUARANTINE_ENTRY, handlers={"GET": show_entry}),
    Page(path=f"{QUARANTINE}/replay", handlers={"GET": ask_replay, "POST": replay}),
    Page(path=f"{QUARANTINE}/discard", handlers={"GET": ask_discard, "POST": discard}),
)
