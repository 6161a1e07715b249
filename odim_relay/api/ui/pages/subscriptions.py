"""
All subscriptions: found, filtered and sorted here, so that ten thousand are as quick as ten.
"""

from odim_relay.api.ui import standing
from odim_relay.api.ui.listing import Wish, chosen
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.uris import SUBSCRIPTIONS
from odim_relay.api.ui.visit import PageReply, Visit

_REFRESH_S = 2.0


def show(visit: Visit) -> PageReply:
    """
    One page of the list.
    """
    wish = Wish.of(visit.query)
    found = standing.standing()
    paged = chosen(found.rows, wish)
    values = {"wish": wish, "paged": paged, "all_count": len(found.rows), "now_ms": found.sample.at_ms}
    return PageReply(template="subscriptions.html", values=values, every_s=_REFRESH_S)


PAGES = (Page(path=SUBSCRIPTIONS, handlers={"GET": show}),)
