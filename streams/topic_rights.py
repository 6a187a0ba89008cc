"""What a broker says of topics: whether they are there, their partitions, and what we may do."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, assert_never

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code

from streams.rights_protocol import TopicsRequest

Operation = Literal["Read", "Write", "IdempotentWrite"]
_BITS: Mapping[Operation, int] = {"Read": 3, "Write": 4, "IdempotentWrite": 12}
_NOT_TOLD = -(2**31)
# A topic that was made a moment ago has not come round to every broker, which takes a second or
# two; one whose leader is being chosen may wait for a broker to come back.
_FOUND_WITHIN = 5
_SETTLED_WITHIN = 20


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


@dataclass(frozen=True, slots=True)
class Unsettled:
    """It exists, but no broker serves it at the moment; `why` is what Kafka calls that."""

    why: str


TopicState: TypeAlias = Present | Absent | Hidden | Unsettled


def operations(bits: int) -> frozenset[Operation] | None:
    """The operations of a bit field, as Kafka numbers them; None when it was not told.

    >>> sorted(operations(0b11000))
    ['Read', 'Write']
    """
    if bits == _NOT_TOLD:
        return None
    return frozenset(name for name, bit in _BITS.items() if bits & 1 << bit)


async def topic_states(
    client: AIOKafkaClient, names: Collection[str], *, every_s: float = 0.5
) -> dict[str, TopicState]:
    """What the cluster says of each topic; asked again while a better answer may come.

    Raises:
        KafkaError: the cluster does not answer, or finds fault with a name.
    """
    asked = 0
    while True:
        response = await client.send(client.get_random_node(), TopicsRequest(list(names)))
        states = {topic[1]: _state(topic) for topic in response.topics}
        asked += 1
        if asked >= max((_asked_up_to(state) for state in states.values()), default=0):
            return states
        await asyncio.sleep(every_s)


def _asked_up_to(state: TopicState) -> int:
    """How often in all it is worth asking when this is the answer."""
    match state:
        case Absent():
            return _FOUND_WITHIN
        case Unsettled():
            return _SETTLED_WITHIN
        case Present() | Hidden():
            return 1
        case _:
            assert_never(state)


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
        case _ if for_code(code).retriable:
            return Unsettled(for_code(code).message)
        case _:
            raise for_code(code)(f"topic {name}")
