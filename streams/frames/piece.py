"""A frame's records on their way through Faust's fetch loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Records = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What will be a frame when it is handed out; until then the ledger does not know it.

    after: the offset after the piece fetched before it; None for the first since forgotten.
    epoch: how often its partition had been forgotten before it was fetched.
    """

    records: Records
    size_bytes: int
    after: int | None
    epoch: tuple[int, int]

    @property
    def offsets(self) -> Sequence[int]:
        first, last = self.records[0].offset, self.records[-1].offset
        if last - first == len(self.records) - 1:  # they ascend, so there is no hole
            return range(first, last + 1)
        return [record.offset for record in self.records]
