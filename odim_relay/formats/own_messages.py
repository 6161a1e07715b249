# ruff: noqa: E501 - a sentence of the registry is one line
"""
The registry of the relay's own messages: what it says of itself to who asks for that. Source: MessageRegistry v1_7_0.

One table: the registry is made of it, and so is every event.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from odim_relay.domain.notices import ChangeKind
from odim_relay.domain.own_resources import OWN_REGISTRY

VERSION = "1.0.0"
REGISTRY_ID = f"{OWN_REGISTRY}.{VERSION}"
_PREFIX = f"{OWN_REGISTRY}.{VERSION.rpartition('.')[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """
    What `%1`, `%2`, ... of a message stand for.
    """

    says: str
    type: str = "string"


_SUBSCRIPTION = Argument(says="The id of the subscription.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMessage:
    """
    One entry.

    Attributes:
        key: what stands behind the registry's name and version in a MessageId.
    """

    key: str
    says: str
    text: str
    severity: str
    resolution: str
    arguments: tuple[Argument, ...] = (_SUBSCRIPTION,)

    @property
    def message_id(self) -> str:
        """
        With the registry and its version.
        """
        return f"{_PREFIX}.{self.key}"

    def filled(self, arguments: tuple[str, ...]) -> str:
        """
        The text with its arguments, of which there are as many as it wants.
        """
        text = self.text
        for number, argument in zip(range(1, len(self.arguments) + 1), arguments, strict=True):
            text = text.replace(f"%{number}", argument)
        return text


MESSAGES = MappingProxyType(
    {
        ChangeKind.SUSPENDED: OwnMessage(
            key="SubscriptionSuspended",
            says="A subscription gets nothing any more until somebody resumes it; its events are collected.",
            text="The subscription %1 was suspended: %2.",
            severity="Warning",
            resolution="Mend the destination where it is to blame, then resume the subscription: what was collected goes out, oldest first.",
            arguments=(
                _SUBSCRIPTION,
                Argument(
                    says="Why: `by_hand` for a person, `attempts_used_up` for its own retry policy, `gone` for a destination that answered 410."
                ),
            ),
        ),
        ChangeKind.RESUMED: OwnMessage(
            key="SubscriptionResumed",
            says="A suspended subscription gets its events again, with those that were collected.",
            text="The subscription %1 was resumed.",
            severity="OK",
            resolution="None.",
        ),
        ChangeKind.TERMINATED: OwnMessage(
            key="SubscriptionTerminated",
            says="A subscription with the retry policy TerminateAfterRetries used up its attempts and was deleted, with all that waited for it.",
            text="The subscription %1 used up its attempts and was terminated.",
            severity="Critical",
            resolution="Mend the destination and subscribe again; another DeliveryRetryPolicy keeps a subscription while its destination is away.",
        ),
        ChangeKind.BREAKER_OPENED: OwnMessage(
            key="DestinationFailing",
            says="The destination of a subscription failed several times in a row: its events are collected, and it is asked now and then whether it is back.",
            text="The destination of the subscription %1 is failing; its events wait.",
            severity="Warning",
            resolution="Look at the subscriber. Nothing is lost for the time being: what waits goes out by itself when it answers again.",
        ),
        ChangeKind.BREAKER_CLOSED: OwnMessage(
            key="DestinationRecovered",
            says="A destination that was failing answers again, and what waited for it goes out.",
            text="The destination of the subscription %1 answers again.",
            severity="OK",
            resolution="None.",
        ),
        ChangeKind.BUFFER_EXCEEDED: OwnMessage(
            key="EventBufferExceeded",
            says="Events of a subscription left unsent, for they had waited too long or were too many. It is said once until the subscriber itself was told, by EventBufferExceeded of the registry Base.",
            text="Events of the subscription %1 left unsent: %2.",
            severity="Critical",
            resolution="Look at the subscriber; what it missed must be read elsewhere. A longer retention or more memory for what waits keeps more.",
            arguments=(
                _SUBSCRIPTION,
                Argument(says="Why: `expired` for what waited too long, `over_quota` for what was too much."),
            ),
        ),
        ChangeKind.QUARANTINE_GROWING: OwnMessage(
            key="QuarantineGrowing",
            says="Records came that the relay cannot understand: the first one after a quiet time, or twice as many as when that was said last.",
            text="%1 records that cannot be understood are in quarantine.",
            severity="Warning",
            resolution="Look at them with `odim-relay quarantine list`, mend their source, and replay or discard them.",
            arguments=(Argument(says="How many there are.", type="number"),),
        ),
    }
)


def registry() -> dict[str, Any]:
    """
    The registry as Redfish has it.
    """
    return {
        "@odata.type": "#MessageRegistry.v1_7_0.MessageRegistry",
        "Id": REGISTRY_ID,
        "Name": "odim-relay message registry",
        "Description": "What odim-relay says of its own subscriptions, their destinations and its quarantine.",
        "Language": "en",
        "RegistryPrefix": OWN_REGISTRY,
        "RegistryVersion": VERSION,
        "OwningEntity": "odim-relay",
        "Messages": {message.key: _entry(message) for message in MESSAGES.values()},
    }


def _entry(message: OwnMessage) -> dict[str, Any]:
    return {
        "Description": message.says,
        "LongDescription": message.says,
        "Message": message.text,
        "MessageSeverity": message.severity,
        # Deprecated, and all that older clients look at.
        "Severity": message.severity,
        "NumberOfArgs": len(message.arguments),
        "ParamTypes": [argument.type for argument in message.arguments],
        "ArgDescriptions": [argument.says for argument in message.arguments],
        "ArgLongDescriptions": [argument.says for argument in message.arguments],
        "Resolution": message.resolution,
    }
