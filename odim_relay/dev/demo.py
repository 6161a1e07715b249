"""
The demonstration: a sample subscriber, sample events, and what becomes of them.
"""

import json
import sys
import urllib.request
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from odim_relay import bootstrap
from odim_relay.dev.meter import Meter, Reading
from odim_relay.dev.ports import free_port
from odim_relay.dev.programs import STORES, Program
from odim_relay.dev.samples import sample_event
from odim_relay.domain.subscription import Subscription
from odim_relay.errors import OdimRelayError
from odim_relay.formats.documents import documents
from odim_relay.use_cases.publish import Publish

NAME = "Sample subscriber"
_CONTEXT = "odim-relay up --demo"
_SOURCE = "10.24.0.4"
_ANSWER_S = 1.0
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """
    An event that the sample subscriber got.
    """

    at: datetime
    message_id: str
    severity: str
    message: str
    origin: str
    attempt: str


@dataclass(slots=True)
class Figures:
    """
    What happened since the start, and what is now.

    Attributes:
        last: the events received last, oldest first.
        fresh: those of them that came since the figures were last read.
        trouble: why something could not be read or published just now; empty when all could.
    """

    published: int = 0
    received: int = 0
    ledger: Reading = field(default_factory=Reading)
    last: list[Received] = field(default_factory=list)
    fresh: list[Received] = field(default_factory=list)
    trouble: str = ""


def publisher() -> Publish:
    """
    Writes to the first of the topics, in its format.
    """
    settings = bootstrap.settings().kafka
    topic = settings.topics[0]
    return bootstrap.publish(topic, settings.formats.get(topic, "odim"))


class Demo:
    """
    One demonstration on a running stack.
    """

    def __init__(self) -> None:
        self._port = free_port()
        self.destination = f"http://127.0.0.1:{self._port}/events"
        # The embedded one is stopped after the workers: it takes what is in flight.
        self.program = Program(
            name="subscriber",
            command=(sys.executable, "-m", "odim_relay.dev.subscriber", "--port", str(self._port)),
            group=STORES,
        )
        self.subscription_id = ""
        self.figures = Figures()
        self._number = 0
        self._seen = 0

    def subscribe(self) -> None:
        """
        Create the subscription, or lead the one of an earlier start to this one's subscriber.
        """
        subscribe = bootstrap.subscribe()
        for known in subscribe.everything():
            if known.name == NAME and known.context == _CONTEXT:
                subscribe.update(known.subscription_id, lambda found: replace(found, destination=self.destination))
                self.subscription_id = known.subscription_id
                break
        else:
            wish = Subscription(subscription_id="", destination=self.destination, name=NAME, context=_CONTEXT)
            self.subscription_id = subscribe.create(wish).subscription_id
        self._meter = Meter(self.subscription_id)
        self._publish = publisher()

    def publish(self) -> None:
        """
        Publish the next sample event.
        """
        event = sample_event(self._number, event_id=bootstrap.new_id(), at=datetime.now(UTC))
        self._number += 1
        try:
            self.figures.published += self._publish(documents(event), _SOURCE).count
        except OdimRelayError as exc:
            self.figures.trouble = str(exc)

    def read(self) -> Figures:
        """
        Read what happened. A store or a process that is away is told as `trouble`.
        """
        figures = self.figures
        figures.trouble, figures.fresh = "", []
        try:
            figures.ledger = self._meter.read()
            self._read_subscriber(figures)
        except OdimRelayError as exc:
            figures.trouble = str(exc)
        except OSError as exc:
            figures.trouble = f"the sample subscriber does not answer: {exc}"
        return figures

    def _read_subscriber(self, figures: Figures) -> None:
        url = f"http://127.0.0.1:{self._port}/events?after={self._seen}"
        with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:
            told = json.load(answer)
        if told["count"] < self._seen:  # it was started again, and counts anew
            self._seen = 0
            return
        figures.received += told["count"] - self._seen
        self._seen = told["count"]
        figures.fresh = [
            Received(
                at=datetime.fromtimestamp(event["at_s"], UTC),
                message_id=event["message_id"],
                severity=event["severity"],
                message=event["message"],
                origin=event["origin"],
                attempt=event["attempt"],
            )
            for event in told["events"]
        ]
        figures.last = [*figures.last, *figures.fresh][-_SHOWN:]
