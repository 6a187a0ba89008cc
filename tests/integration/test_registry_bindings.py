"""Registry: it belongs to one cluster and prefix, on SQLite and on PostgreSQL."""

import pytest

from rule_store import Binding
from rule_store.registry import Registry
from rule_store.registry_errors import InvalidEntry, RegistryConflict
from tests.factories import NOW_MS
from tests.registries import activate, add

HERE = Binding(cluster="pK7c", prefix="")
ELSEWHERE = Binding(cluster="pK7c", prefix="staging-")


def test_the_first_activation_binds_and_others_of_the_same_place_follow(
    registry: Registry,
) -> None:
    (one,) = add(registry, "one")
    activate(registry, one, binding=HERE)
    activate(registry, one, binding=HERE)
    assert [row.what for row in registry.audit()] == [
        "activated",
        "activated",
        "bound",
        "release added",
    ]
    bound = registry.audit()[2]
    assert (bound.subject, bound.by) == ("Kafka cluster pK7c, no prefix", "ann")
    assert bound.details == {"cluster": "pK7c", "prefix": "", "before": None}


@pytest.mark.parametrize("other", [ELSEWHERE, Binding(cluster="", prefix="")])
def test_another_place_is_refused_and_nothing_is_decided(
    registry: Registry, other: Binding
) -> None:
    (one,) = add(registry, "one")
    activate(registry, one, binding=HERE)
    before = registry.audit()
    with pytest.raises(RegistryConflict, match=r"--registry, .*kdsl release registry rebind"):
        activate(registry, one, binding=other)
    with pytest.raises(RegistryConflict, match="belongs to Kafka cluster pK7c, no prefix"):
        registry.refuse_elsewhere(other)
    registry.refuse_elsewhere(HERE)
    assert len(registry.history("shop")) == 1
    assert registry.audit() == before


def test_where_a_registry_of_earlier_activations_belongs_is_for_somebody_to_say(
    registry: Registry,
) -> None:
    """Whoever publishes it first may have named the wrong prefix."""
    (one,) = add(registry, "one")
    assert not registry.unbound
    activate(registry, one)
    assert registry.unbound
    before = registry.audit()
    nowhere = "belongs nowhere yet: say where with `kdsl release registry rebind`"
    with pytest.raises(RegistryConflict, match=nowhere):
        registry.refuse_elsewhere(HERE)
    with pytest.raises(RegistryConflict, match=nowhere):
        activate(registry, one, binding=HERE)
    assert registry.audit() == before
    assert registry.bind(HERE, by="ann", at_ms=NOW_MS) is None
    assert not registry.unbound
    assert activate(registry, one, binding=HERE).sequence == 2


def test_a_registry_is_bound_elsewhere_when_somebody_says_so(registry: Registry) -> None:
    assert registry.bind(HERE, by="ann", at_ms=NOW_MS) is None
    assert registry.bind(ELSEWHERE, by="bob", at_ms=NOW_MS) == HERE
    assert registry.bind(ELSEWHERE, by="bob", at_ms=NOW_MS) == ELSEWHERE
    newest, _ = registry.audit()
    assert newest.by == "bob"
    assert newest.details["before"] == "Kafka cluster pK7c, no prefix"
    (one,) = add(registry, "one")
    assert activate(registry, one, binding=ELSEWHERE).sequence == 1
    assert registry.verify_audit() == 4


def test_what_no_database_holds_is_refused(registry: Registry) -> None:
    with pytest.raises(InvalidEntry, match="cluster"):
        registry.bind(Binding(cluster="a\0b", prefix=""), by="ann", at_ms=NOW_MS)
    assert registry.audit() == ()
