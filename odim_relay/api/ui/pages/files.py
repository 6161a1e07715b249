"""
The page's style, script and sign.
"""

from odim_relay.api.ui.rendering import static_file, static_version
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.uris import STATIC
from odim_relay.api.ui.visit import PageError, PageReply, Visit

_FOR_EVER = "public, max-age=31536000, immutable"


def show(visit: Visit) -> PageReply:
    """
    One file; kept by browsers while it is asked for in the state that it has.
    """
    name = visit.params["name"]
    found = static_file(name)
    if found is None:
        raise PageError(404, "No such file", "There is no file at this address.")
    is_current = visit.query.get("v") == static_version(name)
    kept = _FOR_EVER if is_current else "no-cache"
    return PageReply(content=found[0], media_type=found[1], headers=(("Cache-Control", kept),))


PAGES = (Page(path=f"{STATIC}/{{name}}", handlers={"GET": show}, is_open=True),)
