"""Activating: sequence, trust and what was expected, over a registry and a topic in memory."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    Binding,
    Signed,
    TrustStore,
    Untrusted,
    activation_to_bytes,
    key_id,
    sign,
    signed_to_bytes,
)
from rule_store.registry import Registry
from rule_store.registry_errors import RegistryConflict, UnknownRelease
from streams.activating import Activated, Wanted, activate_release
from streams.errors import NotPublished, ReleaseRefused
from tests import registries
from tests.factories import NOW_MS
from tests.registries import LABELS, LABELS_DIGEST, make_content, waiting
from tests.release_topics import FakeReleaseTopic

ACTIVE = f"active/shop/{LABELS_DIGEST}"
KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "registry.db") as registry:
        yield registry


@pytest.fixture
def topic() -> FakeReleaseTopic:
    return FakeReleaseTopic()


def put(registry: Registry, phrase: str, *keys: Ed25519PrivateKey) -> str:
    """A release in the registry, signed by each key; its digest."""
    content = make_content(phrase)
    signatures = tuple(sign(content, key, "release").signatures[0] for key in keys)
    signed = Signed(content=content, signatures=signatures)
    return registry.add_release(signed, by="ann", at_ms=NOW_MS).digest


def store(*keys: Ed25519PrivateKey) -> TrustStore:
    return TrustStore(keys={key_id(key.public_key()): key.public_key() for key in keys})


def activate(registry: Registry, topic: FakeReleaseTopic, name: str, **fields: Any) -> Activated:
    given: dict[str, Any] = {"key": KEY, "by": "ann", "at_ms": NOW_MS}
    wanted = Wanted(release=name, **(given | fields))
    return asyncio.run(activate_release(registry, topic, wanted))


def publish(
    topic: FakeReleaseTopic, name: str, *, sequence: int, key: Ed25519PrivateKey | None
) -> None:
    """As another registry does it, or anybody who may write to the topic."""
    activation = Activation(
        domain="shop",
        labels_digest=LABELS_DIGEST,
        digest=name,
        shadow=None,
        sequence=sequence,
        by="eve",
        at_ms=NOW_MS,
    )
    content = activation_to_bytes(activation)
    unsigned = Signed(content=content, signatures=())
    envelope = sign(content, key, "activation") if key else unsigned
    topic.records.append((ACTIVE, signed_to_bytes(envelope)))


def test_an_activation_is_decided_published_and_noted(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one", KEY)
    activated = activate(registry, topic, one)
    assert activated.activation.sequence == 1
    assert activated.settled.outcome == "published"
    assert activated.ahead_of_us is None
    assert topic.keys() == [f"release/{one}", ACTIVE]
    assert waiting(registry) == []
    assert registry.active("shop", LABELS_DIGEST) == activated.activation


def test_the_sequence_is_above_the_topics_and_that_is_told(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one", KEY)
    publish(topic, one, sequence=7, key=KEY)
    activated = activate(registry, topic, one)
    assert activated.activation.sequence == 8
    assert activated.ahead_of_us is not None
    assert activated.ahead_of_us.by == "eve"
    assert activate(registry, topic, one).ahead_of_us is None


def test_what_the_trust_store_does_not_know_does_not_count_for_the_sequence(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one", KEY)
    publish(topic, one, sequence=2**53 - 1, key=OTHER)
    activated = activate(registry, topic, one, trust=store(KEY))
    assert activated.activation.sequence == 1
    assert activated.settled.outcome == "published"


def test_without_a_trust_store_only_what_our_own_key_signed_counts_for_the_sequence(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    """A forged 2^53 - 1, counted, would use up every sequence there is."""
    one = put(registry, "one", KEY)
    publish(topic, one, sequence=2**53 - 1, key=None)
    for sequence in (1, 2):
        activated = activate(registry, topic, one)
        assert activated.activation.sequence == sequence
        assert activated.settled.outcome == "published"
        assert activated.ahead_of_us is None


def test_without_a_key_every_activation_counts_for_the_sequence(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one")
    publish(topic, one, sequence=7, key=None)
    assert activate(registry, topic, one, key=None).activation.sequence == 8


def test_a_jump_of_the_sequence_is_refused_with_the_record_that_asks_for_it(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one", KEY)
    assert activate(registry, topic, one).activation.sequence == 1
    publish(topic, one, sequence=1_000_001, key=KEY)
    assert activate(registry, topic, one).activation.sequence == 1_000_002
    publish(topic, one, sequence=2_000_003, key=KEY)
    for key in (KEY, None):
        with pytest.raises(ReleaseRefused, match=r"offset 4 .*eve.* sequence 2000003.*--trust"):
            activate(registry, topic, one, key=key)
    assert len(registry.history("shop")) == 2
    assert len(topic.records) == 5


def test_a_release_that_our_key_did_not_sign_is_refused_before_anything_is_decided(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    for name in (put(registry, "unsigned"), put(registry, "foreign", OTHER)):
        with pytest.raises(Untrusted):
            activate(registry, topic, name)
    assert registry.history("shop") == ()
    assert topic.records == []


def test_a_release_signed_by_another_key_of_the_trust_store_is_taken(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    name = put(registry, "foreign", OTHER)
    assert activate(registry, topic, name, trust=store(KEY, OTHER)).activation.sequence == 1


def test_a_shadow_nobody_trusts_is_refused(registry: Registry, topic: FakeReleaseTopic) -> None:
    one, shadow = put(registry, "one", KEY), put(registry, "two", OTHER)
    with pytest.raises(Untrusted):
        activate(registry, topic, one, shadow=shadow)
    assert registry.history("shop") == ()


def test_a_shadow_is_named_by_the_digest_or_enough_of_it_and_goes_with_the_activation(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one, two = put(registry, "one", KEY), put(registry, "two", KEY)
    assert activate(registry, topic, one, shadow=two[:20]).activation.shadow == two
    assert topic.keys() == [f"release/{one}", f"release/{two}", ACTIVE]


def test_the_release_in_force_takes_another_shadow_or_none_by_a_new_activation(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one, two, three = (put(registry, each, KEY) for each in ("one", "two", "three"))
    shadows = (two, three, None)
    made = [activate(registry, topic, one, shadow=each).activation for each in shadows]
    assert [(each.sequence, each.digest, each.shadow) for each in made] == [
        (1, one, two),
        (2, one, three),
        (3, one, None),
    ]
    newest = asyncio.run(topic.read(None)).in_force[ACTIVE]
    assert newest.activation == made[-1]


def test_a_release_is_not_its_own_shadow(registry: Registry, topic: FakeReleaseTopic) -> None:
    one = put(registry, "one", KEY)
    with pytest.raises(ReleaseRefused, match="name another one with --shadow, or none"):
        activate(registry, topic, one, shadow=one[:20])
    assert registry.history("shop") == ()


def test_a_shadow_for_another_domain_is_refused(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    signed = sign(make_content("one", domain="bank"), KEY, "release")
    bank = registry.add_release(signed, by="ann", at_ms=NOW_MS).digest
    with pytest.raises(RegistryConflict, match="is for domain bank"):
        activate(registry, topic, put(registry, "one", KEY), shadow=bank)
    assert registry.history("shop") == ()


def test_the_first_activation_binds_the_registry_to_the_cluster_and_prefix(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one, elsewhere = put(registry, "one", KEY), FakeReleaseTopic()
    elsewhere.place = Binding(cluster=topic.place.cluster, prefix="staging-")
    activate(registry, topic, one)
    with pytest.raises(RegistryConflict, match=r"prefix staging-: .*kdsl release registry rebind"):
        activate(registry, elsewhere, one)
    assert (len(registry.history("shop")), elsewhere.records) == (1, [])
    registry.bind(elsewhere.place, by="ann", at_ms=NOW_MS)
    assert activate(registry, elsewhere, one).activation.sequence == 2


def test_into_a_registry_that_belongs_nowhere_yet_nothing_further_is_activated(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one", KEY)
    registries.activate(registry, one)
    with pytest.raises(RegistryConflict, match=r"say where with `kdsl release registry rebind`"):
        activate(registry, topic, one)
    assert (len(registry.history("shop")), topic.records) == (1, [])


def test_what_is_refused_binds_the_registry_nowhere(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    with pytest.raises(RegistryConflict, match="sequence 5 was expected"):
        activate(registry, topic, put(registry, "one", KEY), expected=5)
    assert registry.bind(topic.place, by="ann", at_ms=NOW_MS) is None


def test_a_key_outside_the_trust_store_is_refused(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one", KEY, OTHER)
    with pytest.raises(ReleaseRefused, match="kdsl keys trust"):
        activate(registry, topic, one, trust=store(OTHER))
    assert registry.history("shop") == ()


def test_a_key_that_never_activated_here_is_refused_unless_said_outright(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one", KEY, OTHER)
    activate(registry, topic, one, key=OTHER)
    with pytest.raises(ReleaseRefused, match="--new-key"):
        activate(registry, topic, one)
    assert activate(registry, topic, one, new_key=True).activation.sequence == 2


def test_without_a_key_the_activation_carries_no_signature(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    name = put(registry, "unsigned")
    activate(registry, topic, name, key=None)
    assert asyncio.run(topic.read(None)).signers(ACTIVE) == ()


def test_an_unknown_release_is_refused(registry: Registry, topic: FakeReleaseTopic) -> None:
    with pytest.raises(UnknownRelease):
        activate(registry, topic, "sha256:" + "0" * 64)


def test_another_one_than_expected_is_refused(registry: Registry, topic: FakeReleaseTopic) -> None:
    one, two = put(registry, "one", KEY), put(registry, "two", KEY)
    activate(registry, topic, one, expected=0)
    with pytest.raises(RegistryConflict, match="sequence 0 was expected"):
        activate(registry, topic, two, expected=0)
    assert activate(registry, topic, two, expected=1).activation.sequence == 2


def test_a_topic_that_fails_leaves_the_activation_decided_and_says_what_to_run(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    one = put(registry, "one", KEY)
    topic.fails = ConnectionError("the broker went away")
    with pytest.raises(NotPublished, match=r"kdsl release sync.*the broker went away"):
        activate(registry, topic, one)
    assert [row.activation.digest for row in waiting(registry)] == [one]


def test_who_is_overtaken_while_publishing_leaves_the_newer_one_last(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    """A colleague activates and publishes between our commit and our publishing."""
    one, two = put(registry, "one", KEY), put(registry, "two", KEY)

    class Overtaken(FakeReleaseTopic):
        overtaken = False

        async def send(self, records: Any) -> None:
            if not self.overtaken:
                self.overtaken = True
                wanted = Wanted(release=two, key=KEY, by="bob", at_ms=NOW_MS)
                await activate_release(registry, self, wanted)
            await super().send(records)

    activated = activate(registry, busy := Overtaken(), one)
    assert activated.activation.sequence == 1
    assert activated.settled.activation.by == "bob"
    newest = asyncio.run(busy.read(None)).in_force.get(ACTIVE)
    assert newest is not None
    assert newest.activation == activated.settled.activation
    assert busy.records[-1][1] == registry.history("shop", limit=1)[0].envelope


def test_who_activates_for_other_labels_than_the_last_time_is_told_who_goes_on(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    """Nobody else would say that a pack with one label more has no workers."""
    one = put(registry, "one", KEY)
    content = make_content("one", labels=(*LABELS, "gift_card"))
    row = registry.add_release(sign(content, KEY, "release"), by="ann", at_ms=NOW_MS)
    first = activate(registry, topic, one)
    assert first.for_other_labels is None
    other = activate(registry, topic, row.digest, at_ms=NOW_MS + 1)
    assert other.for_other_labels == first.activation
    assert activate(registry, topic, row.digest, at_ms=NOW_MS + 2).for_other_labels is None
    back = activate(registry, topic, one, at_ms=NOW_MS + 3)
    assert back.for_other_labels is not None
    assert back.for_other_labels.sequence == 2


def test_a_release_that_no_trusted_key_signed_is_not_signed_on_the_way(
    registry: Registry, topic: FakeReleaseTopic
) -> None:
    """The key that signed it may have been retired because somebody else held it."""
    one, two = put(registry, "one", OTHER), put(registry, "two", KEY)
    with pytest.raises(Untrusted) as refused:
        activate(registry, topic, one, trust=store(KEY))
    for command in ("show", "sign", "activate"):
        assert f"kdsl release {command} {one[7:19]}" in str(refused.value)
    with pytest.raises(Untrusted) as refused:
        activate(registry, topic, two, shadow=one, trust=store(KEY))
    assert f"kdsl release sign {one[7:19]} --key" in str(refused.value)
    again = f"kdsl release activate {two[7:19]} --shadow {one[7:19]} --key"
    assert again in str(refused.value)
    assert topic.records == []
