from collections.abc import Iterable, Iterator, Sequence

import pytest

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import Backlog, DeliveryRecord
from odim_relay.use_cases.dead_letters import Selection, select


def letter(delivery_id: str, subscription_id: str, reason: ParkReason, parked_at_ms: int) -> DeliveryRecord:
    return DeliveryRecord(
        delivery_id=delivery_id,
        subscription_id=subscription_id,
        event_id="e",
        state=State.PARKED,
        attempts=6,
        reason=reason,
        parked_at_ms=parked_at_ms,
    )


LETTERS = [
    letter("d1", "s1", ParkReason.EXHAUSTED, 100),
    letter("d2", "s1", ParkReason.REJECTED, 200),
    letter("d3", "s2", ParkReason.EXHAUSTED, 300),
    letter("d4", "s3", ParkReason.BEHIND, 400),
]
QUEUED = DeliveryRecord(delivery_id="d5", subscription_id="s1", event_id="e", state=State.QUEUED, attempts=0)
SUBSCRIPTIONS = [
    Subscription(subscription_id="s1", destination="http://a/x"),
    Subscription(subscription_id="s2", destination="http://b/y"),
    Subscription(subscription_id="s3", destination="http://a/x"),
]


class Listing:
    """
    `DeliveryListing` over LETTERS; tells which subscriptions were walked.
    """

    walked: Sequence[str] | None = ()

    def parked(self, subscription_ids: Iterable[str] | None = None) -> Iterator[DeliveryRecord]:
        self.walked = None if subscription_ids is None else list(subscription_ids)
        for record in LETTERS:
            if self.walked is None or record.subscription_id in self.walked:
                yield record

    def delivery(self, delivery_id: str) -> DeliveryRecord | None:
        return next((record for record in [*LETTERS, QUEUED] if record.delivery_id == delivery_id), None)

    def payload(self, event_id: str) -> bytes | None:
        raise NotImplementedError(event_id)

    def backlogs(self, subscription_ids: Iterable[str] | None = None) -> Sequence[Backlog]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(), "d1 d2 d3 d4"),
        (Selection(subscription_ids=["s1", "s2"]), "d1 d2 d3"),
        (Selection(reasons=[ParkReason.EXHAUSTED]), "d1 d3"),
        (Selection(destinations=["http://a/x"]), "d1 d2 d4"),
        (Selection(destinations=["http://a/x"], subscription_ids=["s2", "s3"]), "d4"),
        (Selection(destinations=["http://nobody/"]), ""),
        (Selection(since_ms=200, until_ms=300), "d2 d3"),
        (Selection(since_ms=201), "d3 d4"),
        (Selection(limit=2), "d1 d2"),
        (Selection(delivery_ids=["d3", "d1", "d3", "unknown"]), "d3 d1"),
        (Selection(delivery_ids=["d5"]), ""),
        (Selection(delivery_ids=["d1", "d2"], reasons=[ParkReason.REJECTED]), "d2"),
        (Selection(delivery_ids=["d1", "d3"], destinations=["http://b/y"]), "d3"),
    ],
)
def test_a_selection_takes_what_all_its_members_want(selection: Selection, ids: str) -> None:
    found = select(Listing(), lambda: SUBSCRIPTIONS, selection)
    assert [record.delivery_id for record in found] == ids.split()


def test_only_the_subscriptions_in_question_are_walked() -> None:
    listing = Listing()
    list(select(listing, lambda: SUBSCRIPTIONS, Selection(destinations=["http://a/x"], subscription_ids=["s1"])))
    assert listing.walked == ["s1"]
