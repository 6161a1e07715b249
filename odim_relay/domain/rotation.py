"""
Changing what a subscription is signed with, without a moment in which its subscriber cannot verify.
"""

from dataclasses import replace

from odim_relay.domain.signing import RetiredSecret, is_signing_key
from odim_relay.domain.subscription import Subscription

USUAL_OVERLAP_S = 86_400
LONGEST_OVERLAP_S = 2_592_000
"""
For how long a secret that another takes the place of signs beside it.
"""


def rotated_secret(subscription: Subscription, secret: str, *, now_s: float, overlap_s: float) -> Subscription:
    """
    Sign with `secret` from now on, and for a while with the one before too; without overlap, or with an empty one, at
    once with nothing else. Two are the most: one that was retired before signs no more. The secret that it has already
    changes nothing.
    """
    if secret == subscription.signing_secret and secret:
        return subscription
    old = subscription.signing_secret if secret else ""
    others = tuple(one for one in subscription.retired_secrets if is_signing_key(one.secret))
    retired = _retired(old, now_s, overlap_s)
    return replace(subscription, signing_secret=secret, retired_secrets=(*retired, *others))


def rotated_key(subscription: Subscription, key: str, *, now_s: float, overlap_s: float) -> Subscription:
    """
    The same for the key that signs `v1a`.
    """
    if key == subscription.signing_key and key:
        return subscription
    old = subscription.signing_key if key else ""
    others = tuple(one for one in subscription.retired_secrets if not is_signing_key(one.secret))
    retired = _retired(old, now_s, overlap_s)
    return replace(subscription, signing_key=key, retired_secrets=(*others, *retired))


def finished_rotation(subscription: Subscription) -> Subscription:
    """
    Sign with the newest alone.
    """
    return replace(subscription, retired_secrets=())


def live_secrets(subscription: Subscription, now_s: float) -> tuple[str, ...]:
    """
    What a request is signed with at `now_s`, secrets and keys: the newest first.
    """
    newest = tuple(filter(None, (subscription.signing_secret, subscription.signing_key)))
    return newest + tuple(one.secret for one in subscription.retired_secrets if now_s < one.until_s)


def _retired(old: str, now_s: float, overlap_s: float) -> tuple[RetiredSecret, ...]:
    return (RetiredSecret(secret=old, until_s=int(now_s + overlap_s)),) if old and overlap_s > 0 else ()
