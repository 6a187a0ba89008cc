"""One table of the topics: name, key, partitions, retention, compaction, record size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streams.limits import LIMITS

Kind = Literal[
    "events",
    "deferred",
    "tags",
    "alerts",
    "feedback",
    "shadow",
    "dead_letters",
    "releases",
    "status",
]

_MINUTE_MS = 60 * 1000
_DAY_MS = 24 * 60 * _MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic as `kdsl topics create` makes it.

    partitions: None takes the number asked for at creation; a number is fixed by the contract.
    retention_ms: None keeps for ever.
    compacted: of the records of a key only the last is kept for long.
    segment_ms: how long a segment is written to, which is never compacted; None leaves it to Kafka.
    record_bytes: the largest value; the broker's limit adds `LIMITS.record_overhead_bytes`.
    """

    name: str
    key: str
    value: str
    record_bytes: int
    partitions: int | None = None
    retention_ms: int | None = 7 * _DAY_MS
    compacted: bool = False
    segment_ms: int | None = None

    @property
    def config(self) -> Mapping[str, str]:
        """The topic's configuration in Kafka's words."""
        config = {"max.message.bytes": str(self.record_bytes + LIMITS.record_overhead_bytes)}
        policies = ["compact"] if self.compacted else []
        if self.segment_ms is not None:
            config["segment.ms"] = str(self.segment_ms)
        if self.retention_ms is not None:
            policies.append("delete")
            config["retention.ms"] = str(self.retention_ms)
        return {**config, "cleanup.policy": ",".join(policies)}


TOPICS: Mapping[Kind, Topic] = {
    "events": Topic(
        name="dialogue.events",
        key="dialogue_id",
        value="DialogueEvent",
        record_bytes=LIMITS.event_bytes,
    ),
    "deferred": Topic(
        name="dialogue.deferred",
        key="dialogue_id",
        value="Deferred",
        record_bytes=LIMITS.deferred_bytes,
    ),
    "tags": Topic(
        name="dialogue.tags", key="dialogue_id", value="Tag", record_bytes=LIMITS.tag_bytes
    ),
    "alerts": Topic(
        name="dialogue.alerts", key="dialogue_id", value="Alert", record_bytes=LIMITS.tag_bytes
    ),
    "feedback": Topic(
        name="dialogue.feedback",
        key="dialogue_id",
        value="Feedback",
        record_bytes=LIMITS.tag_bytes,
        retention_ms=90 * _DAY_MS,
    ),
    "shadow": Topic(
        name="dialogue.shadow",
        key="dialogue_id or worker id",
        value="ShadowDifference, ShadowCounts",
        record_bytes=LIMITS.tag_bytes,
    ),
    "dead_letters": Topic(
        name="dialogue.dead-letters",
        key="original key",
        value="DeadLetter",
        record_bytes=LIMITS.dead_letter_bytes,
        retention_ms=30 * _DAY_MS,
    ),
    "releases": Topic(
        name="rules.releases",
        key="release/<digest> or active/<domain>/<labels digest>",
        value="releases, activations",
        record_bytes=LIMITS.release_bytes + LIMITS.envelope_bytes,
        partitions=1,
        retention_ms=None,
        compacted=True,
    ),
    # Also deleted in the end: a worker without a stable name never comes back under its id. Every
    # worker speaks every few seconds, so segments are short-lived, and the topic is read quickly.
    "status": Topic(
        name="workers.status",
        key="worker id",
        value="WorkerStatus",
        record_bytes=LIMITS.tag_bytes,
        partitions=1,
        compacted=True,
        segment_ms=10 * _MINUTE_MS,
    ),
}


def group_name(domain: str, role: str, *, prefix: str = "") -> str:
    """A role's consumer group on the cluster.

    >>> group_name("storefront", "tagger", prefix="shop-")
    'shop-kdsl-storefront-tagger'
    """
    return f"{prefix}kdsl-{domain}-{role}"


def topic_name(kind: Kind, *, prefix: str = "") -> str:
    """The name on the cluster.

    >>> topic_name("tags", prefix="shop-")
    'shop-dialogue.tags'
    """
    return prefix + TOPICS[kind].name
