"""A release topic in memory."""

from collections.abc import Sequence

from rule_store import Binding, TrustStore
from streams.published import Published
from tests import factories as make


class FakeReleaseTopic:
    """Keeps what is sent.

    records: (key, value) in their order.
    place: where it is.
    fails: raised instead of taking anything.
    """

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []
        self.fails: Exception | None = None
        self.place = Binding(cluster="pK7c", prefix="")

    async def binding(self) -> Binding:
        return self.place

    async def read(self, trust: TrustStore | None) -> Published:
        published = Published(trust)
        for offset, (key, value) in enumerate(self.records):
            published.note(make.record(value, key=key.encode(), offset=offset))
        return published

    async def send(self, records: Sequence[tuple[str, bytes]]) -> None:
        if self.fails is not None:
            raise self.fails
        self.records += records

    def compact(self) -> None:
        """Keep the last record of each key, as Kafka does some time."""
        last = {key: place for place, (key, _) in enumerate(self.records)}
        self.records = [self.records[place] for place in sorted(last.values())]

    def keys(self) -> list[str]:
        return [key for key, _ in self.records]
