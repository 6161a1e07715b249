"""
What the use cases need of the world. Adapters implement these; each contract stands here, in full.

Every method may raise `TransientError` (the store cannot be reached or refuses for now); every call is safe to repeat.
"""

from odim_relay.ports.accounts import AccountStore, PasswordHasher
from odim_relay.ports.announcing import AnnouncingLedger
from odim_relay.ports.attempts import AttemptBatch, AttemptListing, AttemptRecord, AttemptStore, KeptAttempt
from odim_relay.ports.audit import Action, AuditEntry, AuditListing, AuditLog, AuditSelection, Deed
from odim_relay.ports.backlog import BacklogLedger, Connection, ReplayStep, Resumed, SuspendedBy
from odim_relay.ports.deliveries import Claim, DeliveryLedger, LastAttempt, Passenger, ReapLedger, Refusal
from odim_relay.ports.event_service import EventServiceStore
from odim_relay.ports.examining import FileProblem, RedisCondition, RedisFacts, TopicFacts, WorkerFacts
from odim_relay.ports.flow import DestinationFlow, FlowListing, SubscriptionFlow, Workforce
from odim_relay.ports.identity import IdentityStore
from odim_relay.ports.importing import ImportedEvents
from odim_relay.ports.intake import (
    IngestBatch,
    IngestLedger,
    NewDelivery,
    NewEvent,
    Position,
    QuarantineEntry,
    TopicEpoch,
)
from odim_relay.ports.inventory import InventoryChange, InventoryContent, InventoryStore
from odim_relay.ports.journal import Journal, JournalEntry
from odim_relay.ports.listings import (
    Backlog,
    DeliveryListing,
    DeliveryRecord,
    Index,
    LedgerFigures,
    LedgerSizes,
    QuarantinedRecord,
    QuarantineListing,
)
from odim_relay.ports.odim import OdimFacts, OdimStore, OdimTables
from odim_relay.ports.outbox import NoticeOutbox, Telling, TellRefusal
from odim_relay.ports.quarantine import QuarantineLedger, ReplayRefusal
from odim_relay.ports.records import Commit, ConsumerGroup, Record, RecordSink, RecordSource, TopicPartition
from odim_relay.ports.samples import SampleStore
from odim_relay.ports.sealing import SealedStore, Sealer, SealState
from odim_relay.ports.sending import Connector, OutgoingRequest, Sender
from odim_relay.ports.sessions import SessionStore
from odim_relay.ports.signing import Signer
from odim_relay.ports.subscriptions import SubscriptionStore
from odim_relay.ports.tasks import Aftermath, Notice, Publisher, TaskTicket
from odim_relay.ports.tokens import Token, TokenEndpoint
from odim_relay.ports.tracing import AttemptSpan, RecordSpan, Tracer
from odim_relay.ports.turns import Turn

__all__ = [
    "AccountStore",
    "Action",
    "Aftermath",
    "AnnouncingLedger",
    "AttemptBatch",
    "AttemptListing",
    "AttemptRecord",
    "AttemptSpan",
    "AttemptStore",
    "AuditEntry",
    "AuditListing",
    "AuditLog",
    "AuditSelection",
    "Backlog",
    "BacklogLedger",
    "Claim",
    "Commit",
    "Connection",
    "Connector",
    "ConsumerGroup",
    "Deed",
    "DeliveryLedger",
    "DeliveryListing",
    "DeliveryRecord",
    "DestinationFlow",
    "EventServiceStore",
    "FileProblem",
    "FlowListing",
    "IdentityStore",
    "ImportedEvents",
    "Index",
    "IngestBatch",
    "IngestLedger",
    "InventoryChange",
    "InventoryContent",
    "InventoryStore",
    "Journal",
    "JournalEntry",
    "KeptAttempt",
    "LastAttempt",
    "LedgerFigures",
    "LedgerSizes",
    "NewDelivery",
    "NewEvent",
    "Notice",
    "NoticeOutbox",
    "OdimFacts",
    "OdimStore",
    "OdimTables",
    "OutgoingRequest",
    "Passenger",
    "PasswordHasher",
    "Position",
    "Publisher",
    "QuarantineEntry",
    "QuarantineLedger",
    "QuarantineListing",
    "QuarantinedRecord",
    "ReapLedger",
    "Record",
    "RecordSink",
    "RecordSource",
    "RecordSpan",
    "RedisCondition",
    "RedisFacts",
    "Refusal",
    "ReplayRefusal",
    "ReplayStep",
    "Resumed",
    "SampleStore",
    "SealState",
    "SealedStore",
    "Sealer",
    "Sender",
    "SessionStore",
    "Signer",
    "SubscriptionFlow",
    "SubscriptionStore",
    "SuspendedBy",
    "TaskTicket",
    "TellRefusal",
    "Telling",
    "Token",
    "TokenEndpoint",
    "TopicEpoch",
    "TopicFacts",
    "TopicPartition",
    "Tracer",
    "Turn",
    "WorkerFacts",
    "Workforce",
]
