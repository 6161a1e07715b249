"""
A delivery as the request that carries it.
"""

from odim_relay.domain.signing import signature
from odim_relay.domain.subscription import Mode, Subscription
from odim_relay.domain.tls import tls_terms_of
from odim_relay.ports import Claim, OutgoingRequest

_FIXED_HEADERS = (
    ("Content-Type", "application/json"),
    ("OData-Version", "4.0"),
)
_REPLAY_HEADERS = (("x-odim-relay-replay", "1"),)


def outgoing_request(
    claim: Claim, subscription: Subscription, *, webhook_id: str, body: bytes, now_s: float
) -> OutgoingRequest:
    """
    Make the request of one attempt, signed where the subscription has a secret.

    Args:
        webhook_id: by which the subscriber knows duplicates.
        now_s: seconds since the epoch.
    """
    timestamp = str(int(now_s))
    secret = subscription.signing_secret
    return OutgoingRequest(
        url=subscription.destination,
        body=body,
        headers=(
            *_FIXED_HEADERS,
            *subscription.headers,
            ("webhook-id", webhook_id),
            ("webhook-timestamp", timestamp),
            *((("webhook-signature", signature(secret, webhook_id, timestamp, body)),) if secret else ()),
            ("x-odim-relay-attempt", str(claim.attempt)),
            *(_REPLAY_HEADERS if claim.is_replay else ()),
        ),
        is_repeatable=claim.mode is not Mode.AT_MOST_ONCE,
        tls=tls_terms_of(subscription),
    )
