"""
Which subscriptions share a destination.
"""

from hashlib import sha256
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from odim_relay.domain.subscription import Subscription

_DEFAULT_PORTS = {"http": 80, "https": 443}


def destination_id(subscription: Subscription) -> str:
    """
    Name what one breaker and one in-flight cap are for (L29): the normalised full URL and who we are to it.

    The same URL with other credentials is another destination: one of them may be wrong.

    Returns:
        16 hexadecimal digits.
    """
    parts = urlsplit(subscription.destination)
    user = parts.netloc.rpartition("@")[0]
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    url = f"{parts.scheme}://{_host(parts.hostname or '')}:{port}{parts.path or '/'}?{parts.query}"
    headers = sorted((name.lower(), value) for name, value in subscription.headers)
    return sha256(repr((user, url, headers)).encode()).hexdigest()[:16]


def _host(name: str) -> str:
    return str(IPv6Address(name)) if ":" in name else name.removesuffix(".")
