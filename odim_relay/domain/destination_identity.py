"""
Which subscriptions share a destination.
"""

from dataclasses import astuple
from hashlib import sha256
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from odim_relay.domain.authentication import kind_of
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.tls import tls_terms_of

_DEFAULT_PORTS = {"http": 80, "https": 443}


def destination_id(subscription: Subscription) -> str:
    """
    Name what one breaker and one in-flight cap are for (L29): the normalised full URL and who we are to it.

    The same URL with other credentials is another destination: one of them may be wrong. So it is with other backups,
    or verified otherwise, or with another certificate of ours.

    Returns:
        16 hexadecimal digits.
    """
    user, url = _normalised(subscription.destination)
    identity: tuple[object, ...] = (
        user,
        url,
        sorted((name.lower(), value) for name, value in subscription.headers),
    )
    # What most do not have is left out: their names stay those that the ledger knows.
    if subscription.verify_certificate is not None:
        identity += (subscription.verify_certificate,)
    terms = tls_terms_of(subscription)
    if not terms.is_usual:
        files = (terms.ca_file, terms.client_certificate_file, terms.client_key_file)
        identity += (("tls", *files, terms.fingerprint),)
    if subscription.backup_destinations:
        identity += tuple(map(_normalised, subscription.backup_destinations))
    if subscription.authentication is not None:
        identity += (kind_of(subscription.authentication), *astuple(subscription.authentication))
    return sha256(repr(identity).encode()).hexdigest()[:16]


def _normalised(destination: str) -> tuple[str, str]:
    """
    The user-info of a URL, and the URL without it.
    """
    parts = urlsplit(destination)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    url = f"{parts.scheme}://{_host(parts.hostname or '')}:{port}{parts.path or '/'}?{parts.query}"
    return parts.netloc.rpartition("@")[0], url


def _host(name: str) -> str:
    return str(IPv6Address(name)) if ":" in name else name.removesuffix(".")
