"""What a worker needs of a cluster, looked at before it starts."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.transaction import InitProducerIdRequest

from streams.cluster import Cluster
from streams.connecting import open_client
from streams.errors import (
    BrokerUnreachable,
    RightMissing,
    TopicMissing,
    TopicTooSmall,
    WrongPartitions,
)
from streams.rights_protocol import GroupRequest
from streams.settings import RoleName
from streams.topic_rights import (
    Absent,
    Hidden,
    Operation,
    Present,
    TopicState,
    Unsettled,
    operations,
    topic_states,
)
from streams.topics import TOPICS, Kind, topic_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The topics that a role reads and those that it writes."""

    reads: tuple[Kind, ...]
    writes: tuple[Kind, ...]


NEEDS: Mapping[RoleName, Needs] = {
    "tagger": Needs(
        reads=("events", "releases"), writes=("deferred", "tags", "dead_letters", "status")
    ),
    "resolver": Needs(reads=("deferred", "releases"), writes=("tags", "dead_letters", "status")),
    "alerter": Needs(reads=("tags",), writes=("alerts", "dead_letters", "status")),
}

_SIZE = "max.message.bytes"
_TOPIC_RESOURCE = 2  # Kafka's number for topics among what can be configured
_GROUP_TRIES = 20
_RETRY_S = 0.5


async def preflight(
    cluster: Cluster, *, prefix: str, role: RoleName, group: str, partitions: int
) -> None:
    """Refuse to start where a worker could not do its work.

    Args:
        cluster: how to reach it.
        prefix: of the topics.
        role: the worker's.
        group: its consumer group.
        partitions: that each topic must have; 0 takes what is there.

    Raises:
        BrokerUnreachable: nobody answers, or nobody who has a topic.
        AuthenticationFailed: a certificate, a name or a password is not accepted.
        TopicMissing, WrongPartitions: a topic does not exist, or not as it should.
        RightMissing: we may not read or write what we must.
        TopicTooSmall: a topic would refuse records that we may have to write.
    """
    needs = NEEDS[role]
    async with open_client(cluster) as client:
        kinds = (*needs.reads, *needs.writes)
        states = await _states(client, prefix=prefix, kinds=kinds)
        check_states(states, cluster, prefix=prefix, partitions=partitions)
        check_rights(states, "Read", needs.reads, cluster, prefix=prefix)
        check_rights(states, "Write", needs.writes, cluster, prefix=prefix)
        if not await _may_read_group(client, group):
            raise _right_missing(cluster, "Read", "group", group)
        if not await _may_write_idempotently(client):
            raise _right_missing(cluster, "IdempotentWrite", "cluster", "")
        check_sizes(await _sizes(client, prefix, needs.writes), cluster, prefix=prefix)


async def check_writable(cluster: Cluster, *, prefix: str, kind: Kind) -> None:
    """Refuse to write into a topic that is not there, or not for us.

    Raises:
        BrokerUnreachable, AuthenticationFailed: the cluster cannot be used at all.
        TopicMissing, WrongPartitions: the topic does not exist, or not as it should.
        RightMissing: we may not write it.
    """
    async with open_client(cluster) as client:
        states = await _states(client, prefix=prefix, kinds=(kind,))
    check_states(states, cluster, prefix=prefix, partitions=0)
    check_rights(states, "Write", (kind,), cluster, prefix=prefix)


def check_states(
    states: Mapping[Kind, TopicState], cluster: Cluster, *, prefix: str, partitions: int
) -> None:
    """All topics that we may see exist, with the partitions expected."""
    missing = []
    for kind, state in states.items():
        name = topic_name(kind, prefix=prefix)
        match state:
            case Present(partitions=found):
                _check_partitions(kind, found, partitions, cluster, prefix)
            case Absent():
                missing.append(name)
            case Hidden():
                pass  # it is the rights that are wanting
            case Unsettled(why):
                raise BrokerUnreachable(
                    f"no broker serves topic {name} at {cluster.bootstrap} ({why}): see that all "
                    "are up, and start again"
                )
            case _:
                assert_never(state)
    if missing:
        raise TopicMissing(
            f"no topic {', '.join(missing)} at {cluster.bootstrap}: make them with "
            f"`{create_command(cluster, prefix)}`"
        )


def create_command(cluster: Cluster, prefix: str) -> str:
    with_prefix = f" --prefix {prefix}" if prefix else ""
    return f"kdsl topics create --bootstrap {cluster.bootstrap}{with_prefix}"


def _check_partitions(kind: Kind, found: int, wanted: int, cluster: Cluster, prefix: str) -> None:
    fixed = TOPICS[kind].partitions
    if found == (fixed or wanted or found):
        return
    # `create` leaves alone what exists.
    again = create_command(cluster, prefix) + ("" if fixed else f" --partitions {wanted}")
    raise WrongPartitions(
        f"topic {topic_name(kind, prefix=prefix)} at {cluster.bootstrap} has {found} partitions "
        f"and not {fixed or wanted}: delete it, which takes its records along, then run `{again}`"
        + ("" if fixed else f", or expect {found} (KDSL_PARTITIONS)")
    )


def check_rights(
    states: Mapping[Kind, TopicState],
    operation: Operation,
    kinds: Collection[Kind],
    cluster: Cluster,
    *,
    prefix: str,
) -> None:
    """Each of the topics allows the operation, as far as the broker tells."""
    for kind in kinds:
        match states[kind]:
            case Present(allowed=allowed):
                may = allowed is None or operation in allowed
            case Hidden() | Absent() | Unsettled():
                may = False
            case _:
                assert_never(states[kind])
        if not may:
            raise _right_missing(cluster, operation, "topic", topic_name(kind, prefix=prefix))


def check_sizes(sizes: Mapping[Kind, int], cluster: Cluster, *, prefix: str) -> None:
    """Each of the topics takes our largest record."""
    for kind, size_bytes in sizes.items():
        name = topic_name(kind, prefix=prefix)
        needed_bytes = int(TOPICS[kind].config[_SIZE])
        if size_bytes < needed_bytes:
            raise TopicTooSmall(
                f"topic {name} takes records of {size_bytes} bytes at most and must take "
                f"{needed_bytes}: raise it with `kafka-configs.sh --bootstrap-server "
                f"{cluster.bootstrap} --alter --entity-type topics --entity-name {name} "
                f"--add-config {_SIZE}={needed_bytes}`"
            )


async def _states(
    client: AIOKafkaClient, *, prefix: str, kinds: Collection[Kind]
) -> dict[Kind, TopicState]:
    names = {kind: topic_name(kind, prefix=prefix) for kind in kinds}
    states = await topic_states(client, names.values())
    return {kind: states[name] for kind, name in names.items()}


async def _may_read_group(client: AIOKafkaClient, group: str) -> bool:
    """Whether we may join; True also when the cluster cannot tell, as joining will show it."""
    for _ in range(_GROUP_TRIES):
        try:
            coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
            response = await client.send(coordinator, GroupRequest(group))
            ((code, _name, _state, _type, _protocol, _members, *rights),) = response.groups
        except GroupAuthorizationFailedError:
            return False
        except BrokerResponseError as error:
            code = error.errno
        if code == 0:
            allowed = operations(rights[0]) if rights else None
            return allowed is None or "Read" in allowed
        if code == GroupAuthorizationFailedError.errno:
            return False
        if not for_code(code).retriable:
            raise for_code(code)(f"group {group}")
        # A cluster on which no group ever was makes itself a coordinator only now.
        await asyncio.sleep(_RETRY_S)
    return True


async def _may_write_idempotently(client: AIOKafkaClient) -> bool:
    """Before Kafka 2.8 this is a right of its own; since then writing any topic includes it."""
    request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
    response = await client.send(client.get_random_node(), request)
    return bool(response.error_code != ClusterAuthorizationFailedError.errno)


async def _sizes(client: AIOKafkaClient, prefix: str, kinds: Sequence[Kind]) -> dict[Kind, int]:
    """Largest record of each topic in bytes, of those whose configuration we may see."""
    names = {topic_name(kind, prefix=prefix): kind for kind in kinds}
    request = DescribeConfigsRequest([(_TOPIC_RESOURCE, name, [_SIZE]) for name in names])
    response = await client.send(client.get_random_node(), request)
    return {
        names[name]: int(value)
        for code, _message, _type, name, entries in response.resources
        if code == 0
        for _config, value, *_ in entries
    }


def _right_missing(cluster: Cluster, operation: str, resource: str, name: str) -> RightMissing:
    return RightMissing(
        user=cluster.user,
        operation=operation,
        resource=resource,
        name=name,
        bootstrap=cluster.bootstrap,
    )
