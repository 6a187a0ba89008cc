"""A frame: consecutive records of one partition, handled as one unit."""

from collections.abc import Callable, Sequence
from typing import Any, overload

# `aiokafka.ConsumerRecord`, which has no types of its own.
ConsumerRecord = Any


class Frame(Sequence[ConsumerRecord]):
    """Records as aiokafka delivers them, and how to acknowledge them.

    A frame is never waited for: it holds what one fetch returned for its partition, at most as
    many records and bytes as its topic allows. At a low rate it holds one record.
    """

    __slots__ = ("_acknowledge", "_records")

    def __init__(
        self, records: Sequence[ConsumerRecord], acknowledge: Callable[[int], bool]
    ) -> None:
        """Made by the transport.

        Args:
            records: of one partition, in order.
            acknowledge: takes the position of a record in the frame.
        """
        self._records = records
        self._acknowledge = acknowledge

    def ack(self, position: int) -> bool:
        """Acknowledge one record, in any order; False when it was acknowledged before.

        Only the acknowledged prefix of a partition is committed.
        """
        return self._acknowledge(position)

    def ack_all(self) -> None:
        """Acknowledge every record."""
        for position in range(len(self._records)):
            self._acknowledge(position)

    @overload
    def __getitem__(self, index: int) -> ConsumerRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ConsumerRecord]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)


def cut(
    records: Sequence[ConsumerRecord], *, max_records: int, max_bytes: int
) -> list[Sequence[ConsumerRecord]]:
    """Cut one partition's records into pieces within both bounds; a larger record is alone."""
    pieces = []
    start = size = 0
    for position, record in enumerate(records):
        record_bytes = len(record.key or b"") + len(record.value or b"")
        full = position - start >= max_records or size + record_bytes > max_bytes
        if full and position > start:
            pieces.append(records[start:position])
            start, size = position, 0
        size += record_bytes
    if start < len(records):
        pieces.append(records[start:])
    return pieces
