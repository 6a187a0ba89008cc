"""The laws of the ledger: never past an unacknowledged record, none forgotten, all in the end."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.frames import Lease, Ledger

PARTITIONS = ("a", "b", "c")
STEPS = 12_000


@dataclass
class Held:
    """A lease as the world knows it.

    left: positions not acknowledged. current: its partition was not taken away since.
    """

    lease: Lease[str]
    left: set[int]
    current: bool = True


@dataclass
class World:
    """A log of records with holes, a consumer with a ledger, and an oracle that remembers all.

    log: partition → its offsets. position: index of the next record to fetch.
    assigned: partitions held now. committed: the offset last committed.
    acknowledged: (partition, offset) at any time. held: leases not wholly acknowledged.
    """

    draw: random.Random
    ledger: Ledger[str] = field(default_factory=Ledger)
    log: dict[str, list[int]] = field(default_factory=dict)
    position: dict[str, int] = field(default_factory=dict)
    assigned: set[str] = field(default_factory=set)
    committed: dict[str, int] = field(default_factory=dict)
    acknowledged: set[tuple[str, int]] = field(default_factory=set)
    held: list[Held] = field(default_factory=list)

    def produce(self, partition: str) -> None:
        log = self.log.setdefault(partition, [])
        hole = self.draw.choice([0, 0, 0, 1, 7])
        log.append((log[-1] + 1 if log else 0) + hole)

    def fetch(self, partition: str) -> None:
        if partition not in self.assigned:
            return
        at = self.position[partition]
        offsets = self.log.get(partition, [])[at : at + self.draw.randint(1, 9)]
        if offsets:
            size_bytes = self.draw.choice([0, 1, 100])
            lease = self.ledger.hand_out(partition, offsets, size_bytes=size_bytes)
            self.position[partition] = at + len(offsets)
            self.held.append(Held(lease, set(range(len(offsets)))))

    def acknowledge(self) -> None:
        if self.held:
            held = self.draw.choice(self.held)
            position = self.draw.choice(sorted(held.left))
            assert self.ledger.acknowledge(held.lease, position)
            assert not self.ledger.acknowledge(held.lease, position)
            self._note(held, {position})

    def acknowledge_all(self) -> None:
        if self.held:
            held = self.draw.choice(self.held)
            self.ledger.acknowledge_all(held.lease)
            self._note(held, set(held.left))

    def _note(self, held: Held, positions: set[int]) -> None:
        held.left -= positions
        if held.current:
            offsets = held.lease.offsets
            self.acknowledged |= {(held.lease.partition, offsets[each]) for each in positions}
        if not held.left:
            self.held.remove(held)

    def commit(self, partition: str) -> None:
        offset = self.ledger.committable(partition)
        assert offset is None or partition in self.assigned
        if offset is not None and offset > self.committed.get(partition, 0):
            for passed in self.log[partition]:
                if self.committed.get(partition, 0) <= passed < offset:
                    assert (partition, passed) in self.acknowledged
            self.committed[partition] = offset

    def assign(self, partition: str) -> None:
        """Read on where it was committed, as a new owner does."""
        if partition not in self.assigned:
            self.assigned.add(partition)
            begin = self.committed.get(partition, 0)
            self.position[partition] = sum(offset < begin for offset in self.log.get(partition, []))

    def take_away(self, partition: str) -> None:
        """Lost: too late to commit."""
        self.assigned.discard(partition)
        self.ledger.forget([partition])
        for held in self.held:
            if held.lease.partition == partition:
                held.current = False

    def revoke(self, partition: str) -> None:
        self.commit(partition)
        self.take_away(partition)

    def seek(self) -> None:
        """All partitions back to where they were committed."""
        for partition in sorted(self.assigned):
            self.take_away(partition)
            self.assign(partition)
        self.ledger.forget()

    def check(self) -> None:
        """What holds after every step."""
        current = [held for held in self.held if held.current]
        assert self.ledger.held_bytes == sum(held.lease.size_bytes for held in current)
        assert self.ledger.in_flight() == sum(len(held.left) for held in current)
        assert all(held.lease.stale is not held.current for held in self.held)

    def finish(self) -> None:
        for partition in PARTITIONS:
            self.assign(partition)
            while self.position[partition] < len(self.log.get(partition, [])):
                self.fetch(partition)
        while self.held:
            self.acknowledge()
        for partition in PARTITIONS:
            self.commit(partition)
            log = self.log.get(partition, [])
            assert {(partition, offset) for offset in log} <= self.acknowledged
            assert self.committed.get(partition, 0) == (log[-1] + 1 if log else 0)
        assert (self.ledger.in_flight(), self.ledger.held_bytes) == (0, 0)


ACTIONS: dict[str, float] = {
    "produce": 10,
    "fetch": 6,
    "acknowledge": 20,
    "acknowledge_all": 1,
    "commit": 3,
    "assign": 1,
    "revoke": 0.2,
    "take_away": 0.2,
    "seek": 0.1,
}


@pytest.mark.parametrize("seed", range(8))
def test_random_interleavings_commit_exactly_what_is_acknowledged(seed: int) -> None:
    world = World(random.Random(seed))
    for action in world.draw.choices(list(ACTIONS), weights=list(ACTIONS.values()), k=STEPS):
        if action in ("acknowledge", "acknowledge_all", "seek"):
            getattr(world, action)()
        else:
            getattr(world, action)(world.draw.choice(PARTITIONS))
        world.check()
    world.finish()


def test_whoever_waits_for_room_is_told_each_time_that_less_is_held() -> None:
    held: list[int] = []
    ledger: Ledger[str] = Ledger(on_release=lambda: held.append(ledger.held_bytes))
    first = ledger.hand_out("p", [0, 1], size_bytes=10)
    second = ledger.hand_out("p", [2], size_bytes=7)
    other = ledger.hand_out("q", [0], size_bytes=5)
    ledger.acknowledge(first, 0)
    assert held == []
    ledger.acknowledge_all(second)
    assert held == [15]
    ledger.forget(["p"])  # of which the first lease is still open, the second was given back
    assert held == [15, 5]
    ledger.acknowledge(first, 1)
    assert held == [15, 5]
    ledger.acknowledge_all(other)
    assert held == [15, 5, 0]


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
