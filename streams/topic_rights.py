"""What a broker says of topics: whether they are there, their partitions, and what we may do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code

from streams.rights_protocol import TopicsRequest

Operation = Literal["Read", "Write", "IdempotentWrite"]
_BITS: Mapping[Operation, int] = {"Read": 3, "Write": 4, "IdempotentWrite": 12}
_NOT_TOLD = -(2**31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A topic that exists.

    allowed: None when the broker is too old to tell (before Kafka 2.3).
    """

    partitions: int
    allowed: frozenset[Operation] | None


@dataclass(frozen=True, slots=True)
class Absent:
    """No such topic."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """We may not even know whether it exists."""


TopicState: TypeAlias = Present | Absent | Hidden


def operations(bits: int) -> frozenset[Operation] | None:
    """The operations of a bit field, as Kafka numbers them; None when it was not told.

    >>> sorted(operations(0b11000))
    ['Read', 'Write']
    """
    if bits == _NOT_TOLD:
        return None
    return frozenset(name for name, bit in _BITS.items() if bits & 1 << bit)


async def topic_states(client: AIOKafkaClient, names: Collection[str]) -> dict[str, TopicState]:
    """What the cluster says of each topic.

    Raises:
        KafkaError: the cluster does not answer, or finds fault with a name.
    """
    response = await client.send(client.get_random_node(), TopicsRequest(list(names)))
    return {topic[1]: _state(topic) for topic in response.topics}


def _state(topic: Sequence[Any]) -> TopicState:
    code, name, _internal, partitions, *rights = topic
    match code:
        case 0:
            allowed = operations(rights[0]) if rights else None
            return Present(partitions=len(partitions), allowed=allowed)
        case 3:  # UNKNOWN_TOPIC_OR_PARTITION
            return Absent()
        case 29:  # TOPIC_AUTHORIZATION_FAILED
            return Hidden()
        case _:
            raise for_code(code)(f"topic {name}")
