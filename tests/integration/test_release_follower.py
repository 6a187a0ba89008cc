"""The follower of releases on a real Kafka, in this process: trust that changes, our failures."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from rule_store import (
    Activation,
    activation_to_bytes,
    canonical_bytes,
    digest,
    load_key,
    new_key,
    public_path,
    release_key,
    sign,
    signed_to_bytes,
    topic_key,
)
from streams.activations import Activations
from streams.active_release import ActiveRelease
from streams.building import build_release, pack_rules
from streams.health import Health
from streams.kafka import open_producer
from streams.local_broker import LocalBroker
from streams.metrics import Metrics
from streams.releases import ReleaseFollower
from streams.role import system_now_ms
from streams.standing import Standing
from streams.topics import topic_name
from streams.trust import TrustOnDisk
from tests.system import System

pytestmark = pytest.mark.kafka


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    with System(kafka=kafka, folder=tmp_path) as system:
        yield system


def release_of(system: System, *, answer_at: float) -> bytes:
    release = build_release(system.domain, pack_rules(system.domain))
    tasks = {name: replace(task, answer_at=answer_at) for name, task in release.tasks.items()}
    return canonical_bytes(replace(release, tasks=tasks))


@dataclass(kw_only=True)
class Watched:
    """What a follower makes of the topic.

    fails_on: digests at which whoever uses the release raises.
    """

    standing: Standing = field(default_factory=Standing)
    health: Health = field(default_factory=Health)
    used: list[str] = field(default_factory=list)
    shadow: str | None = None
    fails_on: set[str] = field(default_factory=set)

    def use(self, release: ActiveRelease) -> None:
        if release.digest in self.fails_on:
            raise RuntimeError("a defect")
        self.used.append(release.digest)

    def use_shadow(self, release: ActiveRelease | None, *, against: str) -> None:
        if release is not None and release.digest in self.fails_on:
            raise RuntimeError("a defect")
        self.shadow = None if release is None else release.digest

    def now_ms(self) -> int:
        return system_now_ms()

    async def next(self) -> None:
        """Until a release is taken over or refused."""
        async with asyncio.timeout(30):
            await self.standing.changed.wait()
        self.standing.changed.clear()

    @property
    def refusal(self) -> str:
        assert self.standing.refusal is not None
        return self.standing.refusal.why

    @property
    def in_force(self) -> str:
        assert self.standing.in_force is not None
        return self.standing.in_force.digest


@asynccontextmanager
async def following(system: System, trusted: Path) -> AsyncIterator[Watched]:
    watched = Watched()
    follower = ReleaseFollower(
        cluster=system.cluster,
        topic=topic_name("releases", prefix=system.prefix),
        activations=Activations(domain=system.domain, trust=TrustOnDisk(trusted)),
        role=watched,
        standing=watched.standing,
        health=watched.health,
        metrics=Metrics("tagger"),
    )
    await follower.start()
    try:
        yield watched
        assert not follower.crashed
    finally:
        await follower.stop()


async def activate(
    system: System, content: bytes, *, shadow: bytes | None = None, key: Path | None = None
) -> str:
    return await asyncio.to_thread(system.activate, content, shadow=shadow, key=key)


async def test_a_key_counts_from_when_it_is_trusted_until_it_is_retired_without_a_restart(
    system: System, tmp_path: Path
) -> None:
    trusted, other = tmp_path / "trusted", tmp_path / "other.key"
    trusted.mkdir()
    new_key(other)
    shutil.copy(public_path(system.key), trusted / "first.pem")
    async with following(system, trusted) as watched:
        first = await activate(system, release_of(system, answer_at=0.5))
        await watched.next()
        assert watched.in_force == first

        await activate(system, release_of(system, answer_at=0.6), key=other)
        await watched.next()
        assert "trust store does not know" in watched.refusal
        assert watched.in_force == first

        shutil.copy(public_path(other), trusted / "other.pem")
        (trusted / "first.pem").unlink()
        await activate(system, release_of(system, answer_at=0.7))
        await watched.next()
        assert "trust store does not know" in watched.refusal
        # Signed by a key that has been retired since, it stays until another takes its place.
        assert watched.in_force == first

        last = await activate(system, release_of(system, answer_at=0.6), key=other)
        await watched.next()
        assert watched.in_force == last
        assert watched.used == [first, last]


async def test_a_release_that_makes_us_fail_is_refused_and_the_next_one_is_taken(
    system: System,
) -> None:
    async with following(system, public_path(system.key)) as watched:
        first = await activate(system, release_of(system, answer_at=0.5))
        await watched.next()
        bad = release_of(system, answer_at=0.6)
        watched.fails_on.add(digest(bad))
        await activate(system, bad)
        await watched.next()
        assert "RuntimeError while it was laid out" in watched.refusal
        assert watched.in_force == first
        assert watched.health.ready
        third = await activate(system, release_of(system, answer_at=0.7))
        await watched.next()
        assert watched.in_force == third


async def test_an_activation_published_again_is_tried_again_and_else_changes_nothing(
    system: System,
) -> None:
    key, topic = load_key(system.key), topic_name("releases", prefix=system.prefix)
    content = release_of(system, answer_at=0.6)
    async with (
        following(system, public_path(system.key)) as watched,
        open_producer(system.cluster) as producer,
    ):
        first = await activate(system, release_of(system, answer_at=0.5))
        await watched.next()
        second = Activation(
            domain=system.domain.name,
            labels_digest=system.domain.labels_digest,
            digest=digest(content),
            shadow=None,
            sequence=2,
            by="somebody",
            at_ms=1,
        )
        under = topic_key(second).encode()
        envelope = signed_to_bytes(sign(activation_to_bytes(second), key, "activation"))
        await producer.send_and_wait(topic, envelope, key=under)
        await watched.next()
        assert "is not in the topic" in watched.refusal

        release = signed_to_bytes(sign(content, key, "release"))
        await producer.send_and_wait(topic, release, key=release_key(second.digest).encode())
        for _ in range(2):
            await producer.send_and_wait(topic, envelope, key=under)
        await watched.next()
        assert watched.in_force == second.digest

        third = await activate(system, release_of(system, answer_at=0.7))
        await watched.next()
        assert watched.used == [first, second.digest, third]


async def test_a_shadow_is_taken_after_its_release_and_ends_with_the_next_one(
    system: System,
) -> None:
    beside = release_of(system, answer_at=0.6)
    async with following(system, public_path(system.key)) as watched:
        first = await activate(system, release_of(system, answer_at=0.5), shadow=beside)
        while watched.shadow is None:
            await watched.next()
        assert watched.used == [first]
        assert watched.standing.in_force is not None
        assert watched.standing.in_force.shadow == watched.shadow == digest(beside)

        await activate(system, release_of(system, answer_at=0.5))
        await watched.next()
        assert watched.used == [first, first]
        assert watched.standing.in_force.shadow is watched.shadow is None
        assert watched.standing.refusal is None


async def test_a_bad_shadow_is_refused_and_the_release_beside_it_is_in_force(
    system: System,
) -> None:
    beside = release_of(system, answer_at=0.6)
    async with following(system, public_path(system.key)) as watched:
        watched.fails_on.add(digest(beside))
        first = await activate(system, release_of(system, answer_at=0.5), shadow=beside)
        while watched.standing.refusal is None:
            await watched.next()
        assert watched.standing.refusal.digest == digest(beside)
        assert "RuntimeError while it was laid out" in watched.refusal
        assert (watched.in_force, watched.shadow) == (first, None)
        assert watched.health.ready


async def test_a_release_that_makes_us_fail_leaves_the_shadow_of_the_one_in_force(
    system: System,
) -> None:
    beside = release_of(system, answer_at=0.6)
    async with following(system, public_path(system.key)) as watched:
        await activate(system, release_of(system, answer_at=0.5), shadow=beside)
        while watched.shadow is None:
            await watched.next()
        bad = release_of(system, answer_at=0.7)
        watched.fails_on.add(digest(bad))
        await activate(system, bad)
        while watched.standing.refusal is None:
            await watched.next()
        assert watched.standing.in_force is not None
        assert watched.standing.in_force.shadow == watched.shadow == digest(beside)


async def test_a_refused_activation_is_obeyed_once_its_key_is_trusted(
    system: System, tmp_path: Path
) -> None:
    trusted, other = tmp_path / "trusted", tmp_path / "other.key"
    trusted.mkdir()
    new_key(other)
    shutil.copy(public_path(system.key), trusted / "first.pem")
    async with following(system, trusted) as watched:
        await activate(system, release_of(system, answer_at=0.5))
        await watched.next()
        second = await activate(system, release_of(system, answer_at=0.6), key=other)
        await watched.next()
        assert "trust store does not know" in watched.refusal
        shutil.copy(public_path(other), trusted / "other.pem")
        await watched.next()
        assert watched.in_force == second


async def test_a_shadow_that_was_not_published_is_taken_once_it_is(system: System) -> None:
    key, topic = load_key(system.key), topic_name("releases", prefix=system.prefix)
    content, beside = release_of(system, answer_at=0.5), release_of(system, answer_at=0.6)
    activation = Activation(
        domain=system.domain.name,
        labels_digest=system.domain.labels_digest,
        digest=digest(content),
        shadow=digest(beside),
        sequence=1,
        by="somebody",
        at_ms=1,
    )
    envelope = signed_to_bytes(sign(activation_to_bytes(activation), key, "activation"))
    async with (
        following(system, public_path(system.key)) as watched,
        open_producer(system.cluster) as producer,
    ):

        async def publish(release: bytes) -> None:
            under = release_key(digest(release)).encode()
            signed = signed_to_bytes(sign(release, key, "release"))
            await producer.send_and_wait(topic, signed, key=under)
            await producer.send_and_wait(topic, envelope, key=topic_key(activation).encode())

        await publish(content)
        while watched.standing.refusal is None:
            await watched.next()
        assert "is not in the topic" in watched.refusal
        assert (watched.in_force, watched.shadow) == (digest(content), None)
        await publish(beside)
        while watched.shadow is None:
            await watched.next()
        assert watched.used == [digest(content)]
        assert "refusal" not in watched.health.notes
