"""A frame: consecutive records of one partition, handled as one unit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from streams.frames.ledger import Lease, Ledger

# `aiokafka.ConsumerRecord`, which has no types of its own.
ConsumerRecord = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBounds:
    """How much of a topic is handed out together, and how much may wait.

    max_records, max_bytes: of one frame; a larger record makes a frame of its own.
    max_waiting: frames in front of the agent; when they are full, nothing more is fetched.
    """

    max_records: int = 1000
    max_bytes: int = 1024 * 1024
    max_waiting: int = 4


class Frame(Sequence[ConsumerRecord]):
    """Records as aiokafka delivers them, and how to acknowledge them.

    A frame is never waited for: it holds what one fetch returned for its partition, at most as
    many records and bytes as its topic allows. At a low rate it holds one record.
    """

    __slots__ = ("_lease", "_ledger", "_records")

    def __init__(
        self, records: Sequence[ConsumerRecord], lease: Lease[Any], ledger: Ledger[Any]
    ) -> None:
        """Made by the transport: the records of a lease, and the ledger it stands in."""
        self._records = records
        self._lease = lease
        self._ledger = ledger

    def ack(self, position: int) -> bool:
        """Acknowledge one record, in any order; False when it was acknowledged before.

        Only the acknowledged prefix of a partition is committed.
        """
        return self._ledger.acknowledge(self._lease, position)

    def ack_all(self) -> None:
        """Acknowledge every record."""
        self._ledger.acknowledge_all(self._lease)

    @property
    def abandoned(self) -> bool:
        """Whether its partition was taken away since: whoever reads the records next works on them.

        Acknowledging an abandoned frame changes nothing.
        """
        return self._lease.stale

    @property
    def size_bytes(self) -> int:
        """Keys, values and headers of all records."""
        return self._lease.size_bytes

    @overload
    def __getitem__(self, index: int) -> ConsumerRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ConsumerRecord]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[ConsumerRecord]:
        return iter(self._records)  # the one inherited looks up every index


def cut(
    records: Sequence[ConsumerRecord], *, max_records: int, max_bytes: int
) -> list[tuple[Sequence[ConsumerRecord], int]]:
    """Cut one partition's records into pieces within both bounds; a larger record is alone.

    Returns:
        Pieces in order, each with its size in bytes.
    """
    sizes = [
        len(record.value or b"")
        + len(record.key or b"")
        + (_headers_bytes(record.headers) if record.headers else 0)
        for record in records
    ]
    pieces = []
    start = 0
    while start < len(records):
        end = min(start + max_records, len(records))
        size = sum(sizes[start:end])
        while size > max_bytes and end > start + 1:
            end -= 1
            size -= sizes[end]
        pieces.append((records[start:end], size))
        start = end
    return pieces


def _headers_bytes(headers: Sequence[tuple[str, bytes | None]]) -> int:
    return sum(len(name) + len(value or b"") for name, value in headers)
