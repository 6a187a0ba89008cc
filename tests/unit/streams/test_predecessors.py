"""What is expected to be in force is said as a sequence or a digest; where a roll-back leads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rule_store.registry import Registry
from streams.errors import InvalidSettings, ReleaseRefused
from streams.predecessors import before_in_force, expected_sequence
from tests.registries import activate, add


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
        before_in_force(registry, "shop")
    activate(registry, one)
    with pytest.raises(ReleaseRefused, match="first release in force"):
        before_in_force(registry, "shop")
    activate(registry, two)
    activate(registry, two)
    newest, earlier = before_in_force(registry, "shop")
    assert (newest.sequence, newest.digest, earlier.digest) == (3, two, one)
