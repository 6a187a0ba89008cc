"""What is expected to be in force is said as a sequence or a digest; where a roll-back leads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rule_store import Signed
from rule_store.registry import Registry
from streams.errors import InvalidSettings, ReleaseRefused
from streams.predecessors import before_in_force, expected_sequence, labels_in_force
from tests.factories import NOW_MS
from tests.registries import LABELS, LABELS_DIGEST, activate, add, make_content, make_envelope


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "registry.db") as registry:
        yield registry


def test_what_is_expected_may_be_said_as_a_sequence_or_by_a_digest(registry: Registry) -> None:
    (one,) = add(registry, "one")
    newest = activate(registry, one)
    digits = one.removeprefix("sha256:")
    assert expected_sequence("0", newest) == 0
    assert expected_sequence(one, newest) == 1
    assert expected_sequence(f"sha256:{digits[:8]}", newest) == 1
    with pytest.raises(ReleaseRefused, match=r"ann has activated .* where sha256:000000"):
        expected_sequence("sha256:000000", newest)
    with pytest.raises(ReleaseRefused, match="nothing is in force"):
        expected_sequence(one, None)
    with pytest.raises(InvalidSettings, match="neither a sequence"):
        expected_sequence("abc", newest)


def test_a_roll_back_leads_to_the_release_before(registry: Registry) -> None:
    one, two = add(registry, "one", "two")
    with pytest.raises(ReleaseRefused, match="nothing was ever activated"):
        before_in_force(registry, "shop", LABELS_DIGEST)
    activate(registry, one)
    with pytest.raises(ReleaseRefused, match="first release in force"):
        before_in_force(registry, "shop", LABELS_DIGEST)
    activate(registry, two)
    activate(registry, two)
    newest, earlier = before_in_force(registry, "shop", LABELS_DIGEST)
    assert (newest.sequence, newest.digest, earlier.digest) == (3, two, one)


def test_what_was_activated_for_other_labels_does_not_block_a_roll_back(
    registry: Registry,
) -> None:
    one, two = add(registry, "one", "two")
    activate(registry, one)
    activate(registry, two)
    other = activate_for_other_labels(registry)
    newest, earlier = before_in_force(registry, "shop", LABELS_DIGEST)
    assert (newest.digest, earlier.digest) == (two, one)
    with pytest.raises(ReleaseRefused, match=f"first release .* labels {other[:12]}, "):
        before_in_force(registry, "shop", other)
    with pytest.raises(ReleaseRefused, match=r"nothing was ever activated .* labels 0000"):
        before_in_force(registry, "shop", "0" * 64)


def test_a_roll_back_of_something_else_than_expected_is_refused(registry: Registry) -> None:
    one, two = add(registry, "one", "two")
    for name in (one, two):
        activate(registry, name)
    for right in ("2", two):
        newest, _ = before_in_force(registry, "shop", LABELS_DIGEST, expected=right)
        assert newest.digest == two
    for wrong in ("0", "1", "3", one):
        with pytest.raises(ReleaseRefused, match=r"ann has activated .* was expected"):
            before_in_force(registry, "shop", LABELS_DIGEST, expected=wrong)


def test_without_the_pack_the_only_labels_of_a_domain_are_known(registry: Registry) -> None:
    with pytest.raises(ReleaseRefused, match="nothing was ever activated for shop"):
        labels_in_force(registry, "shop")
    activate(registry, *add(registry, "one"))
    assert labels_in_force(registry, "shop") == LABELS_DIGEST
    other = activate_for_other_labels(registry)
    with pytest.raises(ReleaseRefused, match="name the folder of the pack") as refused:
        labels_in_force(registry, "shop")
    assert LABELS_DIGEST[:12] in str(refused.value)
    assert other[:12] in str(refused.value)


def activate_for_other_labels(registry: Registry) -> str:
    """A release with one label more, in force for its labels; their digest."""
    content = make_content("one", labels=(*LABELS, "gift_card"))
    signed = Signed(content=content, signatures=())
    row = registry.add_release(signed, by="ann", at_ms=NOW_MS)
    registry.activate(
        "shop",
        row.labels_digest,
        row.digest,
        shadow=None,
        by="ann",
        at_ms=NOW_MS,
        make_envelope=make_envelope,
    )
    return row.labels_digest
