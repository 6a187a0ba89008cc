"""What was handed out of each partition, and how far it may be committed."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


class Lease(Generic[P]):
    """Records of one partition handed out together, to be acknowledged one by one.

    offsets: of the records, ascending; holes, as compaction leaves them, are fine.
    size_bytes: what the records take, until all of them are acknowledged.
    stale: the partition was forgotten since; the records will be read again.
    """

    __slots__ = ("_acked", "_first", "left", "offsets", "partition", "size_bytes", "stale")

    def __init__(self, partition: P, offsets: Sequence[int], size_bytes: int = 0) -> None:
        self.partition = partition
        self.offsets = offsets
        self.size_bytes = size_bytes
        self.left = len(offsets)
        self.stale = False
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

    def acknowledge_all(self) -> None:
        """Mark every record, at a cost that does not grow with their number."""
        self.left = 0
        self._acked = bytearray(b"\x01") * len(self.offsets)

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

    held_bytes: of all leases that are neither stale nor wholly acknowledged.
    """

    def __init__(self, *, on_release: Callable[[], object] = lambda: None) -> None:
        """Begin empty.

        Args:
            on_release: called whenever less is held than before.
        """
        self._books: dict[P, _Book[P]] = {}
        self._on_release = on_release
        self.held_bytes = 0

    def hand_out(self, partition: P, offsets: Sequence[int], *, size_bytes: int = 0) -> Lease[P]:
        """Take records into the books as they are handed to whoever works on them.

        Args:
            partition: all records are of this one.
            offsets: ascending, above those handed out before; at least one.
            size_bytes: what they take together.

        Raises:
            ValueError: they do not ascend from what was handed out before.
        """
        book = self._books.setdefault(partition, _Book())
        if book.end is not None and offsets[0] < book.end:
            raise ValueError(f"{partition}: offset {offsets[0]} was handed out before")
        lease = Lease(partition, offsets, size_bytes)
        book.leases.append(lease)
        book.end = lease.end
        self.held_bytes += size_bytes
        return lease

    def acknowledge(self, lease: Lease[P], position: int) -> bool:
        """Acknowledge one record of a lease, in any order.

        Returns:
            False when it was acknowledged before.
        """
        if not lease.acknowledge(position):
            return False
        if lease.left == 0:
            self._close(lease)
        return True

    def acknowledge_all(self, lease: Lease[P]) -> None:
        """Acknowledge every record of a lease that is not yet."""
        if lease.left:
            lease.acknowledge_all()
            self._close(lease)

    def _close(self, lease: Lease[P]) -> None:
        """A lease is wholly acknowledged: what stands first and is done leaves the book."""
        if lease.stale:
            return
        self._release(lease)
        book = self._books[lease.partition]
        while book.leases and book.leases[0].left == 0:
            book.done = book.leases.popleft().end

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
            book = self._books.pop(partition, None)
            for lease in book.leases if book else ():
                lease.stale = True
                if lease.left:
                    self._release(lease)

    def _release(self, lease: Lease[P]) -> None:
        self.held_bytes -= lease.size_bytes
        self._on_release()

    def partitions(self) -> tuple[P, ...]:
        return tuple(self._books)

    def in_flight(self) -> int:
        """Records handed out and not acknowledged, stale leases not counted."""
        return sum(lease.left for book in self._books.values() for lease in book.leases)
