"""Our topics as they stand on a cluster, and where they are not as `topics.py` has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.cluster import Cluster
from streams.kafka import open_admin
from streams.topics import Topic

_NO_ERROR = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTopic:
    """A topic on the cluster. config: in Kafka's words; empty when we may not see it."""

    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact of a topic that is not as it was meant. name: *partitions*, or Kafka's word."""

    name: str
    found: str
    meant: str

    def __str__(self) -> str:
        return f"{self.name} {self.found} and not {self.meant}"


def differences(topic: Topic, found: FoundTopic, *, partitions: int) -> tuple[Difference, ...]:
    """Where a topic is not as it was meant; what we may not see is taken to be right.

    Args:
        topic: as it was meant.
        found: as it stands.
        partitions: where `topic` fixes no number; 0 takes what is there.
    """
    meant = topic.partitions or partitions
    pairs = [("partitions", str(found.partitions), str(meant or found.partitions))]
    pairs += [
        (name, found.config[name], value)
        for name, value in topic.config.items()
        if name in found.config
    ]
    return tuple(
        Difference(name=name, found=is_, meant=shall_be)
        for name, is_, shall_be in pairs
        if _parts(is_) != _parts(shall_be)
    )


def _parts(value: str) -> list[str]:
    """Kafka lists policies in any order."""
    return sorted(value.split(","))


async def find_topics(cluster: Cluster, names: Iterable[str]) -> dict[str, FoundTopic]:
    """Topic → how it stands, for those that exist.

    Raises:
        BrokerUnreachable, AuthenticationFailed: nobody answers, or not to us.
    """
    async with open_admin(cluster) as admin:
        described = await admin.describe_topics(list(names))
        partitions = {
            topic["topic"]: len(topic["partitions"])
            for topic in described
            if topic["error_code"] == _NO_ERROR
        }
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in partitions]
        answers = await admin.describe_configs(asked) if asked else []
    configs = {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _message, _type, name, entries in answer.resources
        if code == _NO_ERROR
    }
    return {
        name: FoundTopic(partitions=count, config=configs.get(name, {}))
        for name, count in partitions.items()
    }
