"""
All pages.
"""

from odim_relay.api.ui.pages import (
    actions,
    audit,
    deliveries,
    files,
    log_in,
    overview,
    quarantine,
    subscription,
    subscriptions,
)
from odim_relay.api.ui.routes import Page

PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *subscriptions.PAGES,
    *subscription.PAGES,
    *actions.PAGES,
    *deliveries.PAGES,
    *quarantine.PAGES,
    *audit.PAGES,
    *log_in.PAGES,
    *files.PAGES,
)
