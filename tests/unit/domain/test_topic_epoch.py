import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.topic_epoch import TopicOrigin

KNOWN = TopicOrigin(cluster_id="cluster", topic_id="topic", incarnation="first")
names = st.text(st.characters(exclude_characters="/"), max_size=20)
origins = st.builds(TopicOrigin, cluster_id=names, topic_id=names, incarnation=names)


@pytest.mark.parametrize(
    "other",
    [
        TopicOrigin(cluster_id="another", topic_id="topic", incarnation="first"),
        TopicOrigin(cluster_id="cluster", topic_id="another", incarnation="first"),
        TopicOrigin(cluster_id="cluster", topic_id="topic", incarnation="second"),
    ],
)
def test_a_topic_is_another_when_any_part_of_its_origin_is(other: TopicOrigin) -> None:
    assert not KNOWN.is_same_as(other)
    assert not other.is_same_as(KNOWN)


@pytest.mark.parametrize(
    "other", [TopicOrigin(), TopicOrigin(cluster_id="cluster"), TopicOrigin(topic_id="topic", incarnation="first")]
)
def test_what_a_broker_does_not_tell_is_no_difference(other: TopicOrigin) -> None:
    assert KNOWN.is_same_as(other)
    assert other.is_same_as(KNOWN)


@given(origins)
def test_a_topic_is_the_same_as_itself(origin: TopicOrigin) -> None:
    assert origin.is_same_as(origin)


@given(origins)
def test_an_origin_survives_being_written(origin: TopicOrigin) -> None:
    assert TopicOrigin.from_text(origin.to_text()) == origin
