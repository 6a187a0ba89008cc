"""The topic is brought to what the registry says: lost, overwritten and interrupted publishing."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    Binding,
    Signature,
    Signed,
    TrustStore,
    activation_to_bytes,
    cosign,
    key_id,
    sign,
    signed_to_bytes,
)
from rule_store.registry import Registry
from rule_store.registry_errors import RegistryConflict
from streams.errors import NotPublished
from streams.published import Published
from streams.registering import Settled, in_force, sync_topic
from tests import registries
from tests.factories import NOW_MS
from tests.registries import LABELS_DIGEST, add, make_content, make_envelope, waiting
from tests.release_topics import FakeReleaseTopic

ACTIVE = f"active/shop/{LABELS_DIGEST}"
KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "registry.db") as registry:
        yield registry


@pytest.fixture
def topic() -> FakeReleaseTopic:
    return FakeReleaseTopic()


def activate(registry: Registry, name: str, *, shadow: str | None = None) -> Activation:
    """For where a topic in memory is."""
    place = FakeReleaseTopic().place
    return registries.activate(registry, name, shadow=shadow, binding=place)


def sync(
    registry: Registry, topic: FakeReleaseTopic, trust: TrustStore | None = None
) -> tuple[Settled, ...]:
    return asyncio.run(sync_topic(registry, topic, trust=trust, now_ms=NOW_MS + 1))


def synced(registry: Registry, topic: FakeReleaseTopic, trust: TrustStore | None = None) -> str:
    (settled,) = sync(registry, topic, trust)
    return settled.outcome


def activation_of(digest: str, *, sequence: int) -> Activation:
    """As another registry decides it."""
    return Activation(
        domain="shop",
        labels_digest=LABELS_DIGEST,
        digest=digest,
        shadow=None,
        sequence=sequence,
        by="eve",
        at_ms=NOW_MS,
    )


def test_nothing_was_activated_so_nothing_is_published(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    add(registry, "one")
    assert sync(registry, topic) == ()
    assert topic.records == []


def test_what_waits_is_published_once_the_release_before_its_activation(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    (one,) = add(registry, "one")
    activate(registry, one)
    assert synced(registry, topic) == "published"
    assert topic.keys() == [f"release/{one}", ACTIVE]
    assert waiting(registry) == []
    assert synced(registry, topic) == "stands"
    assert len(topic.records) == 2


def test_of_several_that_wait_only_the_newest_is_published(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one, two = add(registry, "one", "two")
    activate(registry, one)
    activate(registry, two)
    assert synced(registry, topic) == "published"
    assert topic.keys() == [f"release/{two}", ACTIVE]
    newer, older = registry.history("shop")
    assert newer.published_at_ms == NOW_MS + 1
    assert older.published_at_ms is None, "it never reached the topic"


def test_an_older_one_that_waited_is_not_put_behind_a_newer_one(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    """A kill between commit and publishing, then another activation, then `sync`."""
    one, two = add(registry, "one", "two")
    waiting = activate(registry, one)
    newer = activate(registry, two)
    sync(registry, topic)
    assert synced(registry, topic) == "stands"
    assert (waiting.sequence, newer.sequence) == (1, 2)
    assert topic.keys().count(ACTIVE) == 1


def test_one_that_was_published_but_not_noted_is_only_noted(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    (one,) = add(registry, "one")
    (row,) = [activate(registry, one)]
    envelope = waiting(registry)[0].envelope
    signed = signed_to_bytes(registry.signed(one))
    topic.records = [(f"release/{one}", signed), (ACTIVE, envelope)]
    assert synced(registry, topic) == "stands"
    assert waiting(registry) == []
    assert len(topic.records) == 2
    assert row.sequence == 1


def test_a_topic_that_was_lost_is_filled_again(registry: Registry, topic: FakeReleaseTopic) -> None:
    (one,) = add(registry, "one")
    activate(registry, one)
    sync(registry, topic)
    topic.records = []
    assert synced(registry, topic) == "republished"
    assert topic.keys() == [f"release/{one}", ACTIVE]


def test_an_older_activation_replayed_over_the_newer_is_overwritten(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one, two = add(registry, "one", "two")
    for name in (one, two):
        activate(registry, name)
        sync(registry, topic)
    old = topic.records[1]
    topic.records.append(old)
    topic.compact()
    assert topic.records[-1] == old, "a worker that starts now obeys the older one"
    assert synced(registry, topic) == "republished"
    assert topic.records[-1][1] == next(iter(in_force(registry))).envelope


def test_garbage_over_the_newest_is_overwritten(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    (one,) = add(registry, "one")
    activate(registry, one)
    sync(registry, topic)
    topic.records.append((ACTIVE, b"garbage"))
    assert synced(registry, topic) == "republished"
    assert synced(registry, topic) == "stands"


def test_a_release_that_gained_a_signature_is_published_again_and_its_activation_is_not(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    (one,) = add(registry, "one")
    activate(registry, one)
    sync(registry, topic)
    signed = cosign(registry.signed(one), KEY, "release")
    registry.add_release(signed, by="bob", at_ms=NOW_MS)
    assert synced(registry, topic) == "republished"
    assert topic.keys() == [f"release/{one}", ACTIVE, f"release/{one}"]
    assert synced(registry, topic) == "stands"


def test_a_signature_that_was_mended_is_published_again(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    """Workers refuse a release that one of their keys seems to have signed wrongly."""
    right = sign(make_content("one"), KEY, "release")
    own = key_id(KEY.public_key())
    wrong = replace(right, signatures=(Signature(key_id=own, value=b"\3" * 64),))
    one = registry.add_release(wrong, by="ann", at_ms=NOW_MS).digest
    activate(registry, one)
    sync(registry, topic)
    registry.add_release(right, by="ann", at_ms=NOW_MS, verified=[own])
    assert synced(registry, topic) == "republished"
    assert topic.records[-1] == (f"release/{one}", signed_to_bytes(right))


def test_a_registry_is_not_published_where_it_does_not_belong(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    """What was activated for staging must not get to production with a `sync`."""
    (one,) = add(registry, "one")
    staging = Binding(cluster="pK7c", prefix="staging-")
    registries.activate(registry, one, binding=staging)
    with pytest.raises(RegistryConflict, match=r"belongs to Kafka cluster pK7c, prefix staging-"):
        sync(registry, topic)
    assert topic.records == []


def test_a_registry_that_belongs_nowhere_yet_is_not_published_until_somebody_says_where(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    """Of an older kdsl; `sync` with the wrong prefix must not bind it there."""
    (one,) = add(registry, "one")
    registries.activate(registry, one)
    with pytest.raises(RegistryConflict, match=r"say where with `kdsl release registry rebind`"):
        sync(registry, topic)
    assert (topic.records, registry.unbound) == ([], True)
    registry.bind(topic.place, by="ann", at_ms=NOW_MS)
    assert synced(registry, topic) == "published"


def test_a_shadow_is_published_too(registry: Registry, topic: FakeReleaseTopic) -> None:
    one, two = add(registry, "one", "two")
    activate(registry, one, shadow=two)
    sync(registry, topic)
    assert topic.keys() == [f"release/{one}", f"release/{two}", ACTIVE]


def test_what_another_registry_decided_above_is_left_and_told(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    (one,) = add(registry, "one")
    activate(registry, one)
    foreign = activation_of(one, sequence=7)
    topic.records = [(ACTIVE, make_envelope(foreign))]
    (settled,) = sync(registry, topic)
    assert (settled.outcome, settled.overruled_by) == ("overruled", foreign)
    assert len(topic.records) == 1
    assert len(waiting(registry)) == 1, "it never reached the topic"


def test_of_two_with_one_sequence_workers_obey_the_first(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    (one,) = add(registry, "one")
    activate(registry, one)
    first = activation_of(one, sequence=1)
    topic.records = [(ACTIVE, make_envelope(first))]
    (settled,) = sync(registry, topic)
    assert (settled.outcome, settled.overruled_by) == ("overruled", first)


def test_an_activation_nobody_trusts_overrules_nothing(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    signed = sign(make_content("one"), KEY, "release")
    one = registry.add_release(signed, by="ann", at_ms=NOW_MS).digest
    registry.activate(
        "shop",
        LABELS_DIGEST,
        one,
        shadow=None,
        by="ann",
        at_ms=NOW_MS,
        make_envelope=lambda made: signed_to_bytes(
            sign(activation_to_bytes(made), KEY, "activation")
        ),
        binding=topic.place,
    )
    topic.records = [(ACTIVE, make_envelope(activation_of(one, sequence=7)))]
    public = KEY.public_key()
    trust = TrustStore(keys={key_id(public): public})
    assert synced(registry, topic, trust) == "published"


def test_every_domain_and_all_labels_are_brought_up(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    names = []
    for domain in ("shop", "bank"):
        signed = Signed(content=make_content("one", domain=domain), signatures=())
        row = registry.add_release(signed, by="ann", at_ms=NOW_MS)
        names.append(row.digest)
        registry.activate(
            domain,
            LABELS_DIGEST,
            row.digest,
            shadow=None,
            by="ann",
            at_ms=NOW_MS,
            make_envelope=make_envelope,
            binding=topic.place,
        )
    outcomes = {each.activation.domain: each.outcome for each in sync(registry, topic)}
    assert outcomes == {"shop": "published", "bank": "published"}


def test_somebody_who_keeps_overwriting_is_told_of(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    class Overwritten(FakeReleaseTopic):
        async def read(self, trust: TrustStore | None) -> Published:
            self.records.append((ACTIVE, b"garbage"))
            return await super().read(trust)

    (one,) = add(registry, "one")
    activate(registry, one)
    with pytest.raises(NotPublished, match="keeps writing"):
        sync(registry, Overwritten())
    assert len(waiting(registry)) == 1
