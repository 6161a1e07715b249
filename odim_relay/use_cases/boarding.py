"""
What goes together in one request.
"""

from dataclasses import dataclass, replace

from odim_relay.domain.identity import batch_id
from odim_relay.domain.subscription import Mode, Subscription
from odim_relay.formats.batching import Member, compose
from odim_relay.formats.shaping import shape_body
from odim_relay.formats.splitting import MOST_BYTES
from odim_relay.ports import Claim, DeliveryLedger, Passenger

_EVENTS = b'"Events"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """
    One body, and what it delivers.

    Attributes:
        claim: with the passengers that are in the body, and no others.
        webhook_id: the same for the same deliveries.
    """

    claim: Claim
    webhook_id: str
    body: bytes


def board(claim: Claim, ledger: DeliveryLedger) -> Claim:
    """
    Let what waits go with the claimed delivery, where its subscription wants that.
    """
    if not claim.room or _EVENTS not in claim.payload:
        return claim
    return ledger.join(claim, MOST_BYTES - len(claim.payload))


def pack(claim: Claim, subscription: Subscription, ledger: DeliveryLedger) -> Parcel:
    """
    Make the body; passengers that it cannot hold go back.
    """
    if subscription.batch_size is None and not claim.passengers:
        body = shape_body(claim.payload, claim.shape, event_id=claim.event_id)
        return Parcel(claim=claim, webhook_id=claim.delivery_id, body=body)
    members = [_member(claim), *map(_member, claim.passengers)]
    batch = compose(members, is_ordered=claim.mode is Mode.ORDERED)
    taken = set(batch.taken)
    left_out = [passenger for place, passenger in enumerate(claim.passengers, 1) if place not in taken]
    if left_out:
        ledger.unload(claim, left_out)
        claim = replace(claim, passengers=tuple(one for one in claim.passengers if one not in left_out))
    ids = [claim.delivery_id, *(passenger.delivery_id for passenger in claim.passengers)]
    return Parcel(claim=claim, webhook_id=batch_id(ids), body=batch.body)


def _member(one: Claim | Passenger) -> Member:
    return Member(event_id=one.event_id, payload=one.payload, shape=one.shape)
