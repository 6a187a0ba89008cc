"""The law of the ledger: never past an unacknowledged record, none forgotten, all in the end."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.frames import Lease, Ledger

PARTITIONS = ("a", "b", "c")
STEPS = 12_000


@dataclass
class World:
    """A log of records with holes, a consumer with a ledger, and an oracle that remembers all.

    log: partition → its offsets. position: index of the next record to fetch.
    committed: the offset last committed. acknowledged: (partition, offset) at any time.
    """

    draw: random.Random
    ledger: Ledger[str] = field(default_factory=Ledger)
    log: dict[str, list[int]] = field(default_factory=dict)
    position: dict[str, int] = field(default_factory=dict)
    committed: dict[str, int] = field(default_factory=dict)
    acknowledged: set[tuple[str, int]] = field(default_factory=set)
    open: list[tuple[Lease[str], int, bool]] = field(default_factory=list)

    def produce(self, partition: str) -> None:
        log = self.log.setdefault(partition, [])
        hole = self.draw.choice([0, 0, 0, 1, 7])
        log.append((log[-1] + 1 if log else 0) + hole)

    def fetch(self, partition: str) -> None:
        log, at = self.log.get(partition, []), self.position.setdefault(partition, 0)
        offsets = log[at : at + self.draw.randint(1, 9)]
        if offsets:
            lease = self.ledger.hand_out(partition, offsets)
            self.position[partition] = at + len(offsets)
            self.open += [(lease, position, True) for position in range(len(offsets))]

    def acknowledge(self) -> None:
        if self.open:
            at = self.draw.randrange(len(self.open))
            lease, position, current = self.open.pop(at)
            assert self.ledger.acknowledge(lease, position)
            assert not self.ledger.acknowledge(lease, position)
            if current:
                self.acknowledged.add((lease.partition, lease.offsets[position]))

    def commit(self, partition: str) -> None:
        offset = self.ledger.committable(partition)
        if offset is not None and offset > self.committed.get(partition, -1):
            self.committed[partition] = offset
        self.check(partition)

    def check(self, partition: str) -> None:
        """Nothing before the committed offset is without an acknowledgement."""
        for offset in self.log.get(partition, []):
            if offset >= self.committed.get(partition, 0):
                break
            assert (partition, offset) in self.acknowledged, (partition, offset)

    def lose(self, partition: str, *, commit: bool) -> None:
        """A revocation commits first, a lost partition cannot; both start again where committed."""
        if commit:
            self.commit(partition)
        self.ledger.forget([partition])
        log, begin = self.log.get(partition, []), self.committed.get(partition, 0)
        self.position[partition] = sum(offset < begin for offset in log)
        self.open = [
            (lease, position, current and lease.partition != partition)
            for lease, position, current in self.open
        ]

    def finish(self) -> None:
        for partition in PARTITIONS:
            while self.position.get(partition, 0) < len(self.log.get(partition, [])):
                self.fetch(partition)
        while self.open:
            self.acknowledge()
        for partition in PARTITIONS:
            self.commit(partition)
            if log := self.log.get(partition):
                assert self.committed[partition] == log[-1] + 1
        assert self.ledger.in_flight() == 0


@pytest.mark.parametrize("seed", range(8))
def test_random_interleavings_commit_exactly_what_is_acknowledged(seed: int) -> None:
    world = World(random.Random(seed))
    for _ in range(STEPS):
        partition = world.draw.choice(PARTITIONS)
        action = world.draw.choices(
            ["produce", "fetch", "acknowledge", "commit", "revoke", "lose"],
            weights=[10, 6, 20, 3, 0.2, 0.2],
        )[0]
        match action:
            case "produce":
                world.produce(partition)
            case "fetch":
                world.fetch(partition)
            case "acknowledge":
                world.acknowledge()
            case "commit":
                world.commit(partition)
            case _:
                world.lose(partition, commit=action == "revoke")
    world.finish()


@given(order=st.permutations(range(9)))
def test_the_committable_offset_is_that_of_the_first_unacknowledged_record(
    order: list[int],
) -> None:
    offsets = [3, 4, 5, 9, 10, 11, 20, 21, 22]
    ledger = Ledger[str]()
    leases = [ledger.hand_out("p", offsets[start : start + 3]) for start in (0, 3, 6)]
    acknowledged: set[int] = set()
    for index in order:
        ledger.acknowledge(leases[index // 3], index % 3)
        acknowledged.add(index)
        prefix = next((i for i in range(9) if i not in acknowledged), 9)
        expected = offsets[prefix - 1] + 1 if prefix else None
        assert ledger.committable("p") == expected
        assert ledger.in_flight() == 9 - len(acknowledged)
