"""
Who did what: the audit log.
"""

from collections.abc import Mapping
from itertools import islice
from urllib.parse import urlencode

from odim_relay import bootstrap
from odim_relay.api.ui.forms import read_number
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.uris import AUDIT
from odim_relay.api.ui.visit import PageReply, Visit, forbidden
from odim_relay.ports.audit import Action, AuditSelection

PAGE_SIZE = 50
_HIGHEST_PAGE = 200
_LONGEST = 200
_KINDS = tuple(dict.fromkeys(str(action).partition(".")[0] for action in Action))


def show(visit: Visit) -> PageReply:
    """
    One page of it, newest first. It tells of everybody, so it is for who manages the service.
    """
    if not visit.manages:
        raise forbidden()
    wish = {name: visit.query.get(name, "").strip()[:_LONGEST] for name in ("actor", "action", "subject")}
    if wish["action"] not in _KINDS:
        wish["action"] = ""
    page = read_number(visit.query.get("page", ""), least=1, most=_HIGHEST_PAGE, default=1)
    found = bootstrap.audit_listing().entries(
        AuditSelection(
            actors=(wish["actor"],) if wish["actor"] else (),
            actions=(wish["action"],) if wish["action"] else (),
            subjects=(wish["subject"],) if wish["subject"] else (),
        )
    )
    start = (page - 1) * PAGE_SIZE
    rows = list(islice(found, start, start + PAGE_SIZE + 1))
    values = {
        "rows": rows[:PAGE_SIZE],
        "page": page,
        "has_more": len(rows) > PAGE_SIZE and page < _HIGHEST_PAGE,
        "wish": wish,
        "kinds": _KINDS,
        "base": _base(wish),
        "is_filtered": any(wish.values()),
    }
    return PageReply(template="audit.html", values=values)


def _base(wish: Mapping[str, str]) -> str:
    """
    What the links to other pages of it begin with.
    """
    given = {name: value for name, value in wish.items() if value}
    return f"{AUDIT}?{urlencode(given)}{'&' if given else ''}page="


PAGES = (Page(path=AUDIT, handlers={"GET": show}),)
