"""
Whether a topic is still the one that was read before (ledger rule L11).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOrigin:
    """
    What a broker tells of a topic's identity; an empty member is one it does not tell.

    Attributes:
        incarnation: set by whoever starts a broker that begins empty each time, as the embedded one does.
    """

    cluster_id: str = ""
    topic_id: str = ""
    incarnation: str = ""

    def is_same_as(self, other: "TopicOrigin") -> bool:
        """
        Compare what both sides know: what one broker version does not tell is no difference.
        """
        pairs = (
            (self.cluster_id, other.cluster_id),
            (self.topic_id, other.topic_id),
            (self.incarnation, other.incarnation),
        )
        return all(mine == theirs for mine, theirs in pairs if mine and theirs)

    def to_text(self) -> str:
        """
        One line, for the ledger; `from_text` reads it.
        """
        return f"{self.cluster_id}/{self.topic_id}/{self.incarnation}"

    @classmethod
    def from_text(cls, text: str) -> "TopicOrigin":
        """
        The reverse of `to_text`; the members of these brokers hold no slash.
        """
        cluster_id, topic_id, incarnation = text.split("/")
        return cls(cluster_id=cluster_id, topic_id=topic_id, incarnation=incarnation)
