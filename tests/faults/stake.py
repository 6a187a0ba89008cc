"""What a worker has at stake, as the broker tells it."""

import re
from collections.abc import Collection
from urllib.request import urlopen

from aiokafka import TopicPartition

from streams.kafka import open_admin, open_reader
from streams.preflight import NEEDS
from streams.settings import RoleName
from streams.topics import group_name, topic_name
from tests.system import System

_HELD = re.compile(r'^kdsl_commit_lag_records\{partition="(\d+)"\}', re.MULTILINE)


def held_partitions(system: System, name: str) -> set[int]:
    """The partitions of its source that a worker holds, by number."""
    with urlopen(f"http://127.0.0.1:{system.ports[name]}/metrics", timeout=2) as answer:
        return {int(number) for number in _HELD.findall(answer.read().decode())}


async def uncommitted(
    system: System, role: RoleName, partitions: Collection[int], *, before_ms: int
) -> int:
    """Records of a role's source, older than a moment, that its group has not committed.

    Args:
        system: whose topics they are.
        role: whose group.
        partitions: by number.
        before_ms: the moment; later records have not reached anybody.
    """
    topic = topic_name(NEEDS[role].reads[0], prefix=system.prefix)
    group = group_name(system.domain.name, role, prefix=system.prefix)
    logs = [TopicPartition(topic, number) for number in partitions]
    async with open_admin(system.cluster) as admin, open_reader(system.cluster) as reader:
        committed = await admin.list_consumer_group_offsets(group)
        ends = await reader.end_offsets(logs)
        later = await reader.offsets_for_times(dict.fromkeys(logs, before_ms))
    total = 0
    for log in logs:
        first_later = later[log]
        end = ends[log] if first_later is None else first_later.offset
        total += max(0, end - (committed[log].offset if log in committed else 0))
    return total
