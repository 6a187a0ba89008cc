"""Books of Faust's own, kept for ordinary topics only; of framed ones the ledger knows."""

from collections import defaultdict
from collections.abc import Container
from weakref import WeakSet

from faust.types import TP, Message


class OrdinaryReadOffsets(defaultdict[TP, int | None]):
    """Up to where Faust has read; of framed topics it is not told, the ledger knows.

    Faust drops what lies before. It notes an offset when the delivery is over, which can be
    after a seek, and would then drop what is read again.
    """

    def __init__(self, framed: Container[str]) -> None:
        super().__init__(lambda: None)
        self._framed = framed

    def __getitem__(self, tp: TP) -> int | None:
        return None if tp.topic in self._framed else super().__getitem__(tp)


class OrdinaryUnacked(WeakSet[Message]):
    """What Faust waits for in a rebalance and at a stop: ordinary messages only.

    Frames are not waited for: what is in flight of them is abandoned and read again.
    """

    def __init__(self, framed: Container[str]) -> None:
        super().__init__()
        self._framed = framed

    def add(self, item: Message) -> None:
        if item.topic not in self._framed:
            super().add(item)
