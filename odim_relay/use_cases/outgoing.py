"""
A delivery as the request that carries it.
"""

from collections.abc import Iterator

from odim_relay.domain.authentication import ClientCredentials, authorization
from odim_relay.domain.rotation import live_secrets
from odim_relay.domain.signing import is_signing_key, signature, signed_content
from odim_relay.domain.subscription import Mode, Subscription
from odim_relay.domain.tls import tls_terms_of
from odim_relay.domain.trace_context import TRACEPARENT
from odim_relay.ports import Claim, OutgoingRequest, Signer

_FIXED_HEADERS = (
    ("Content-Type", "application/json"),
    ("OData-Version", "4.0"),
)
_REPLAY_HEADERS = (("x-odim-relay-replay", "1"),)


def outgoing_request(
    claim: Claim,
    subscription: Subscription,
    *,
    webhook_id: str,
    body: bytes,
    now_s: float,
    signer: Signer,
    traceparent: str = "",
) -> OutgoingRequest:
    """
    Make the request of one attempt, signed with every secret and key of the subscription that is live.

    Args:
        webhook_id: by which the subscriber knows duplicates.
        now_s: seconds since the epoch.
        traceparent: of the attempt; empty for none.
    """
    timestamp = str(int(now_s))
    signatures = " ".join(
        signer.sign(secret, signed_content(webhook_id, timestamp, body))
        if is_signing_key(secret)
        else signature(secret, webhook_id, timestamp, body)
        for secret in live_secrets(subscription, now_s)
    )
    authentication = subscription.authentication
    return OutgoingRequest(
        url=subscription.destination,
        body=body,
        headers=(
            *_FIXED_HEADERS,
            *_authorization(subscription),
            *subscription.headers,
            ("webhook-id", webhook_id),
            ("webhook-timestamp", timestamp),
            *((("webhook-signature", signatures),) if signatures else ()),
            ("x-odim-relay-attempt", str(claim.attempt)),
            *(_REPLAY_HEADERS if claim.is_replay else ()),
            *(((TRACEPARENT, traceparent),) if traceparent else ()),
        ),
        is_repeatable=claim.mode is not Mode.AT_MOST_ONCE,
        tls=tls_terms_of(subscription),
        credentials=authentication if isinstance(authentication, ClientCredentials) else None,
    )


def _authorization(subscription: Subscription) -> Iterator[tuple[str, str]]:
    value = authorization(subscription.authentication) if subscription.authentication is not None else None
    if value is not None:
        yield "Authorization", value
