"""
Events into Kafka, as their sources would write them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from odim_relay.formats.documents import Document
from odim_relay.formats.wrapping import Wrapping
from odim_relay.ports import RecordSink


@dataclass(slots=True)
class Published:
    """
    How many records Kafka acknowledged, and what became of the others.

    Attributes:
        failures: the document's place among those that were to be published, and what went wrong.
    """

    count: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)


class Publish:
    """
    Writes documents to one topic.
    """

    def __init__(self, *, sink: RecordSink, topic: str, wrap: Wrapping) -> None:
        self._sink = sink
        self._topic = topic
        self._wrap = wrap

    def __call__(
        self, documents: Sequence[Document], source: str, *, progressed: Callable[[], None] = lambda: None
    ) -> Published:
        """
        Publish all, in order, and wait until Kafka has answered for each.

        Records of one source have one key, so that they stay in order. A failure does not stop those behind it.

        Args:
            source: the host that the events are said to come from.
            progressed: called after each answer.

        Raises:
            TransientError: Kafka cannot be reached; nothing was published.
            PermanentError: the topic cannot be written to; nothing was published.
        """
        published = Published()
        if not documents:
            return published
        self._sink.prepare(self._topic)
        for index, document in enumerate(documents):

            def told(failure: str | None, index: int = index) -> None:
                if failure is None:
                    published.count += 1
                else:
                    published.failures.append((index, failure))
                progressed()

            self._sink.send(self._topic, key=source.encode(), value=self._wrap(document, source), told=told)
        self._sink.flush()
        published.failures.sort()
        return published
