"""
A worker's parts in memory, put together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from odim_relay.adapters.security.signing import Ed25519Signer
from odim_relay.domain.backoff import Backoff
from odim_relay.domain.decision import Schedule
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import DeliveryLedger, TaskTicket, Tracer
from odim_relay.use_cases.attempt_log import Attempted
from odim_relay.use_cases.backups import SendWithBackups
from odim_relay.use_cases.deliver import Deliver
from odim_relay.use_cases.directory import SubscriptionDirectory
from odim_relay.use_cases.untraced import Untraced
from tests.fakes.delivery_ledger import InMemoryDeliveryLedger
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.ledger_state import Body, Kept, LedgerState
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.samples import PARTITION, START, batch
from tests.fakes.sender import InMemorySender
from tests.fakes.subscription_store import InMemorySubscriptionStore

RETRIES = 2
TIMEOUT_S = 15.0


@dataclass
class InMemoryRelay:
    """
    Everything that `Deliver` stands on, and `Deliver`. `now_s` is its clock.
    """

    state: LedgerState = field(default_factory=lambda: LedgerState(now_ms=lambda: 0))
    sender: InMemorySender = field(default_factory=InMemorySender)
    publisher: InMemoryPublisher = field(default_factory=InMemoryPublisher)
    now_s: float = 1_234.9
    tracer: Tracer = field(default_factory=Untraced)
    attempted: list[Attempted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = InMemorySubscriptionStore(self.state)
        self.services = InMemoryEventServiceStore(self.state)
        self.ingest_ledger = InMemoryIngestLedger(self.state)
        self.ledger = InMemoryDeliveryLedger(self.state)
        self.deliver = self.delivering_over(self.ledger)

    def delivering_over(self, ledger: DeliveryLedger) -> Deliver:
        return Deliver(
            ledger=ledger,
            directory=SubscriptionDirectory(self.store, self.services),
            send=SendWithBackups(sender=self.sender, now_s=lambda: self.now_s, is_ours=lambda _name, _for_s: True),
            publisher=self.publisher,
            schedule=Schedule(retries=RETRIES, backoff=Backoff(jitter=0)),
            timeout_s=TIMEOUT_S,
            draw=lambda: 0.5,
            now_s=lambda: self.now_s,
            signer=Ed25519Signer(),
            tracer=self.tracer,
            note=self.attempted.append,
        )

    def ingest(self, *subscriptions: Subscription) -> Sequence[TaskTicket]:
        """
        One event for these subscriptions, which are saved before.
        """
        for subscription in subscriptions:
            self.store.save(subscription)
        believed = self.ingest_ledger.position(PARTITION) or START
        self.ingest_ledger.set_position(PARTITION, None, START)
        ids = (subscription.subscription_id for subscription in subscriptions)
        tickets = self.ingest_ledger.ingest(batch(*ids, believed=believed, generation=self.store.generation()))
        assert tickets is not None
        return tickets

    @property
    def kept(self) -> Kept:
        (kept,) = self.state.deliveries.values()
        return kept

    @property
    def kept_body(self) -> Body:
        (body,) = self.state.bodies.values()
        return body
