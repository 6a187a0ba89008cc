"""What was handed out of each partition, and how far it may be committed."""

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


class Lease(Generic[P]):
    """Records of one partition handed out together, to be acknowledged one by one.

    offsets: of the records, ascending; holes, as compaction leaves them, are fine.
    """

    __slots__ = ("_acked", "_first", "left", "offsets", "partition")

    def __init__(self, partition: P, offsets: Sequence[int]) -> None:
        self.partition = partition
        self.offsets = offsets
        self.left = len(offsets)
        self._acked = bytearray(len(offsets))
        self._first = 0  # position of the first record not acknowledged

    @property
    def end(self) -> int:
        """The offset after the last record."""
        return self.offsets[-1] + 1

    def acknowledge(self, position: int) -> bool:
        """Mark one record; False when it was marked before."""
        if self._acked[position]:
            return False
        self._acked[position] = 1
        self.left -= 1
        return True

    def prefix_end(self) -> int | None:
        """The offset after the acknowledged prefix; None while the first record is not."""
        while self._first < len(self._acked) and self._acked[self._first]:
            self._first += 1
        return self.offsets[self._first - 1] + 1 if self._first else None


@dataclass(slots=True)
class _Book(Generic[P]):
    """One partition since it was assigned or sought.

    leases: handed out and not wholly acknowledged up to here, oldest first.
    done: the offset to commit. end: the offset after the last record handed out.
    """

    leases: deque[Lease[P]] = field(default_factory=deque)
    done: int | None = None
    end: int | None = None


class Ledger(Generic[P]):
    """Exact bookkeeping of acknowledgements: only the acknowledged prefix may be committed.

    A partition that is revoked, lost or sought is forgotten: leases of before are stale, and
    acknowledging them changes nothing, since their records will be read again.

    >>> ledger = Ledger[str]()
    >>> lease = ledger.hand_out("p", [4, 5, 6])
    >>> ledger.acknowledge(lease, 1), ledger.committable("p")
    (True, None)
    >>> ledger.acknowledge(lease, 0), ledger.committable("p")
    (True, 6)
    """

    def __init__(self) -> None:
        self._books: dict[P, _Book[P]] = {}

    def hand_out(self, partition: P, offsets: Sequence[int]) -> Lease[P]:
        """Take records into the books as they are handed to whoever works on them.

        Args:
            partition: all records are of this one.
            offsets: ascending, above those handed out before; at least one.

        Raises:
            ValueError: they do not ascend from what was handed out before.
        """
        book = self._books.setdefault(partition, _Book())
        if book.end is not None and offsets[0] < book.end:
            raise ValueError(f"{partition}: offset {offsets[0]} was handed out before")
        lease = Lease(partition, offsets)
        book.leases.append(lease)
        book.end = lease.end
        return lease

    def acknowledge(self, lease: Lease[P], position: int) -> bool:
        """Acknowledge one record of a lease, in any order.

        Returns:
            False when it was acknowledged before.
        """
        if not lease.acknowledge(position):
            return False
        book = self._books.get(lease.partition)
        if book is None or not book.leases:
            return True
        while book.leases and book.leases[0].left == 0:
            book.done = book.leases.popleft().end
        return True

    def committable(self, partition: P) -> int | None:
        """The offset to commit: all records before it are acknowledged, or None for nothing yet."""
        book = self._books.get(partition)
        if book is None:
            return None
        if book.leases and (end := book.leases[0].prefix_end()) is not None:
            book.done = end
        return book.done

    def handed_out_to(self, partition: P) -> int | None:
        """The offset after the last record handed out since the partition was forgotten."""
        book = self._books.get(partition)
        return book.end if book else None

    def forget(self, partitions: Iterable[P] | None = None) -> None:
        """Forget partitions (all, when none are named): their open leases are stale from now on."""
        for partition in list(self._books) if partitions is None else list(partitions):
            self._books.pop(partition, None)

    def partitions(self) -> tuple[P, ...]:
        return tuple(self._books)

    def in_flight(self) -> int:
        """Records handed out and not acknowledged, stale leases not counted."""
        return sum(lease.left for book in self._books.values() for lease in book.leases)
