"""
Where the pages are.
"""

from urllib.parse import quote, urlencode

UI = "/ui"
LOG_IN = f"{UI}/log-in"
LOG_OUT = f"{UI}/log-out"
SUBSCRIPTIONS = f"{UI}/subscriptions"
DELIVERIES = f"{UI}/deliveries"
QUARANTINE = f"{UI}/quarantine"
QUARANTINE_ENTRY = f"{QUARANTINE}/entry"
AUDIT = f"{UI}/audit"
STATIC = f"{UI}/static"

_LONGEST_TARGET = 2_000


def subscription_uri(subscription_id: str, action: str = "") -> str:
    """
    The page of a subscription, or of one of its actions.
    """
    return _below(SUBSCRIPTIONS, subscription_id, action)


def delivery_uri(delivery_id: str, action: str = "") -> str:
    """
    The page of a delivery, or of one of its actions.
    """
    return _below(DELIVERIES, delivery_id, action)


def entry_uri(entry_id: str, action: str = "entry") -> str:
    """
    The page of a record in quarantine, or of one of its actions. Its id has slashes.
    """
    return f"{QUARANTINE}/{action}?{urlencode({'id': entry_id})}"


def log_in_uri(target: str) -> str:
    """
    The log-in that leads to a page afterwards.
    """
    return LOG_IN if target == UI else f"{LOG_IN}?{urlencode({'to': target})}"


def own_target(wanted: str) -> str:
    """
    Where a log-in leads: to what was wanted if it is a page of ours, else to the first one. It is anybody's who makes a
    link: a whole URL, or what browsers take for one, would lead elsewhere.
    """
    is_own = wanted == UI or wanted.startswith((f"{UI}/", f"{UI}?"))
    is_plain = len(wanted) <= _LONGEST_TARGET and wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    is_log = wanted.startswith((LOG_IN, LOG_OUT))
    return wanted if is_own and is_plain and not is_log and " " not in wanted else UI


def _below(folder: str, name: str, action: str) -> str:
    uri = f"{folder}/{quote(name, safe='')}"
    return f"{uri}/{action}" if action else uri
