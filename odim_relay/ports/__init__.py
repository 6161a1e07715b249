"""
What the use cases need of the world. Adapters implement these; each contract stands here, in full.

Every method may raise `TransientError` (the store cannot be reached or refuses for now); every call is safe to repeat.
"""

from odim_relay.ports.backlog import BacklogLedger, Connection, ReplayStep, Resumed, SuspendedBy
from odim_relay.ports.deliveries import Claim, DeliveryLedger, LastAttempt, ReapLedger, Refusal
from odim_relay.ports.examining import RedisFacts
from odim_relay.ports.intake import (
    IngestBatch,
    IngestLedger,
    NewDelivery,
    NewEvent,
    Position,
    QuarantineEntry,
    TopicEpoch,
)
from odim_relay.ports.listings import (
    Backlog,
    DeliveryListing,
    DeliveryRecord,
    LedgerFigures,
    QuarantinedRecord,
    QuarantineListing,
)
from odim_relay.ports.records import Commit, ConsumerGroup, Record, RecordSink, RecordSource, TopicPartition
from odim_relay.ports.sending import Connector, OutgoingRequest, Sender
from odim_relay.ports.subscriptions import SubscriptionStore
from odim_relay.ports.tasks import Aftermath, Notice, Publisher, TaskTicket

__all__ = [
    "Aftermath",
    "Backlog",
    "BacklogLedger",
    "Claim",
    "Commit",
    "Connection",
    "Connector",
    "ConsumerGroup",
    "DeliveryLedger",
    "DeliveryListing",
    "DeliveryRecord",
    "IngestBatch",
    "IngestLedger",
    "LastAttempt",
    "LedgerFigures",
    "NewDelivery",
    "NewEvent",
    "Notice",
    "OutgoingRequest",
    "Position",
    "Publisher",
    "QuarantineEntry",
    "QuarantineListing",
    "QuarantinedRecord",
    "ReapLedger",
    "Record",
    "RecordSink",
    "RecordSource",
    "RedisFacts",
    "Refusal",
    "ReplayStep",
    "Resumed",
    "Sender",
    "SubscriptionStore",
    "SuspendedBy",
    "TaskTicket",
    "TopicEpoch",
    "TopicPartition",
]
