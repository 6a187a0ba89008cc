"""Registry: activations and their outbox, on SQLite and on PostgreSQL."""

from collections.abc import Callable

import pytest

from rule_store import (
    Activation,
    InvalidActivation,
    Signed,
)
from rule_store.registry import Registry
from rule_store.registry_errors import (
    InvalidEntry,
    RegistryConflict,
    UnknownActivation,
    UnknownRelease,
)
from tests.factories import NOW_MS
from tests.registries import (
    LABELS_DIGEST,
    activate,
    add,
    make_content,
    make_envelope,
    make_signed,
    waiting,
)


def test_an_activation_is_in_force_and_waits_to_be_published(registry: Registry) -> None:
    one, two = add(registry, "one", "two")
    first = activate(registry, one)
    second = activate(registry, two[:20], shadow=one)
    assert (first.sequence, second.sequence) == (1, 2)
    assert (second.digest, second.shadow) == (two, one)
    assert registry.active("shop", LABELS_DIGEST) == second
    rows = waiting(registry)
    assert [row.activation for row in rows] == [first, second]
    assert [row.envelope for row in rows] == [make_envelope(first), make_envelope(second)]
    assert registry.active("shop", "0" * 64) is None


def test_publishing_is_noted_once(registry: Registry) -> None:
    (one,) = add(registry, "one")
    first, second = activate(registry, one), activate(registry, one)
    registry.published(first, at_ms=NOW_MS + 5)
    registry.published(first, at_ms=NOW_MS + 9)
    assert [row.activation for row in waiting(registry)] == [second]
    rows = registry.history("shop")
    assert [row.published_at_ms for row in rows] == [None, NOW_MS + 5]


def test_publishing_what_was_never_activated_is_refused(
    registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (one,) = add(registry, "one")
    with Registry.open(tmp_path_factory.mktemp("other") / "registry.db") as other:
        add(other, "one")
        elsewhere = activate(other, one)
    with pytest.raises(UnknownActivation, match="no activation of sequence 1"):
        registry.published(elsewhere, at_ms=NOW_MS)


def test_the_sequence_goes_on_above_what_the_topic_holds(registry: Registry) -> None:
    (one,) = add(registry, "one")
    sequences = [activate(registry, one, at_least=at_least).sequence for at_least in (0, 7, 3)]
    assert sequences == [1, 8, 9]


def test_each_label_set_of_a_domain_counts_for_itself(registry: Registry) -> None:
    (one,) = add(registry, "one")
    activate(registry, one)
    content = make_content("one", labels=("track", "refund", "other"))
    row = registry.add_release(Signed(content=content, signatures=()), by="ann", at_ms=NOW_MS)
    activation = registry.activate(
        "shop",
        row.labels_digest,
        row.digest,
        shadow=None,
        by="ann",
        at_ms=NOW_MS,
        make_envelope=make_envelope,
    )
    assert activation.sequence == 1
    assert [each.activation.digest for each in registry.history("shop")] == [row.digest, one]
    (only,) = registry.history("shop", labels_digest=LABELS_DIGEST)
    assert only.activation.digest == one


def test_a_roll_back_leads_to_the_last_other_release(registry: Registry) -> None:
    one, two = add(registry, "one", "two")
    assert registry.previous("shop", LABELS_DIGEST) is None
    first = activate(registry, one)
    assert registry.previous("shop", LABELS_DIGEST) is None
    activate(registry, two)
    activate(registry, two, shadow=one)
    assert registry.previous("shop", LABELS_DIGEST) == first
    rolled_back = activate(registry, first.digest, expected=3)
    assert rolled_back.sequence == 4
    assert registry.previous("shop", LABELS_DIGEST) == registry.history("shop")[1].activation


def test_an_activation_that_was_overtaken_is_refused(registry: Registry) -> None:
    one, two = add(registry, "one", "two")
    activate(registry, one, expected=0)
    activate(registry, two, expected=1, by="bob")
    for expected in (0, 1, 3):
        with pytest.raises(RegistryConflict, match=f"bob has activated {two} \\(sequence 2\\)"):
            activate(registry, one, expected=expected)
    assert len(registry.history("shop")) == 2


def test_only_a_known_release_of_the_domain_and_labels_is_activated(registry: Registry) -> None:
    (one,) = add(registry, "one")
    with pytest.raises(UnknownRelease):
        activate(registry, "sha256:" + "0" * 64)
    with pytest.raises(UnknownRelease):
        activate(registry, one, shadow="sha256:" + "0" * 64)
    bank = registry.add_release(make_signed("one", domain="bank"), by="ann", at_ms=NOW_MS).digest
    for name, shadow in ((bank, None), (one, bank)):
        with pytest.raises(RegistryConflict, match="activate it for its own"):
            activate(registry, name, shadow=shadow)
    assert registry.history("shop") == ()
    assert waiting(registry) == []


def test_only_the_activation_itself_goes_into_the_outbox(registry: Registry) -> None:
    (one,) = add(registry, "one")
    other = activate(registry, one)

    def fail(activation: Activation) -> bytes:
        raise OSError("the key is gone")

    def activate_with(make: Callable[[Activation], bytes]) -> None:
        registry.activate(
            "shop",
            LABELS_DIGEST,
            one,
            shadow=None,
            by="ann",
            at_ms=NOW_MS,
            make_envelope=make,
        )

    with pytest.raises(InvalidActivation, match="holds something else"):
        activate_with(lambda _: make_envelope(other))
    with pytest.raises(InvalidActivation, match="are more than"):
        activate_with(lambda _: bytes(200_000))
    with pytest.raises(OSError, match="the key is gone"):
        activate_with(fail)
    with pytest.raises(InvalidActivation, match="by"):
        activate(registry, one, by="x" * 129)
    with pytest.raises(InvalidEntry, match="at_least_sequence"):
        activate(registry, one, at_least=-1)
    assert [row.activation for row in waiting(registry)] == [other]
    assert registry.verify_audit() == 2
