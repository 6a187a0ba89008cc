"""The table of the topics is what the architecture says, and its limits are the broker's."""

import pytest

from streams.limits import LIMITS
from streams.topics import TOPICS, Kind, topic_name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("events", "dialogue.events"),
        ("deferred", "dialogue.deferred"),
        ("tags", "dialogue.tags"),
        ("alerts", "dialogue.alerts"),
        ("feedback", "dialogue.feedback"),
        ("shadow", "dialogue.shadow"),
        ("dead_letters", "dialogue.dead-letters"),
        ("releases", "rules.releases"),
        ("status", "workers.status"),
    ],
)
def test_topics_have_their_names_and_take_a_prefix(kind: Kind, name: str) -> None:
    assert topic_name(kind) == name
    assert topic_name(kind, prefix="shop-") == f"shop-{name}"


def test_releases_are_compacted_on_one_partition() -> None:
    topic = TOPICS["releases"]
    assert topic.partitions == 1
    assert topic.config["cleanup.policy"] == "compact"
    assert "retention.ms" not in topic.config
    assert topic.record_bytes > LIMITS.release_bytes


def test_statuses_are_compacted_soon_and_deleted_in_the_end() -> None:
    config = TOPICS["status"].config
    assert config["cleanup.policy"] == "compact,delete"
    assert int(config["segment.ms"]) < int(config["retention.ms"])


def test_dialogues_are_deleted_after_a_time() -> None:
    for kind, topic in TOPICS.items():
        if kind not in ("releases", "status"):
            assert topic.config["cleanup.policy"] == "delete"
            assert int(topic.config["retention.ms"]) >= 7 * 24 * 3600 * 1000


def test_every_broker_limit_is_the_records_plus_one_overhead() -> None:
    for topic in TOPICS.values():
        limit = int(topic.config["max.message.bytes"])
        assert limit == topic.record_bytes + LIMITS.record_overhead_bytes
