"""Where the client failed to read: it says what is wrong with a record, and not which one."""

import traceback
from typing import Any

from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import UnsupportedCodecError


class UnreadableRecord(Exception):
    """The client cannot take a record apart; each worker that meets it ends the same way.

    topic, partition, offset: where it stands, or the batch that begins with it.
    skip_to: the offset after its batch, which the client reads as a whole or not at all.
    """

    def __init__(
        self, *, topic: str, partition: int, offset: int, skip_to: int, group: str, why: str
    ) -> None:
        super().__init__(
            f"{topic}, partition {partition}, cannot be read at offset {offset} ({why}): save with "
            f"another client what is not committed before offset {skip_to}, stop all workers, then "
            f"`kafka-consumer-groups.sh --bootstrap-server … --group {group} --topic "
            f"{topic}:{partition} --reset-offsets --to-offset {skip_to} --execute`"
        )
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.skip_to = skip_to


def named(error: Exception, *, group: str) -> Exception:
    """The failure of a fetch, with its place when it was a record that could not be read."""
    says_itself_what_to_install = isinstance(error, UnsupportedCodecError)
    if says_itself_what_to_install:
        return error
    for frame, _ in traceback.walk_tb(error.__traceback__):
        known: dict[str, Any] = frame.f_locals
        if isinstance(known.get("self"), PartitionRecords) and "next_batch" in known:
            return _unreadable(known["self"], known["next_batch"], error, group)
    return error


def _unreadable(records: Any, batch: Any, error: Exception, group: str) -> UnreadableRecord:
    tp = records._tp  # noqa: SLF001 - the client has no other way to it
    return UnreadableRecord(
        topic=tp.topic,
        partition=tp.partition,
        offset=records.next_fetch_offset,
        skip_to=batch.next_offset,
        group=group,
        why=str(error),
    )
