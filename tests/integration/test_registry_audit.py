"""Registry: the audit trail, on SQLite and on PostgreSQL."""

from collections.abc import Callable

import pytest

from rule_store.registry import Registry
from rule_store.registry_errors import (
    AuditBroken,
    RegistryDamaged,
)
from tests.registries import (
    LABELS_DIGEST,
    activate,
    add,
)


def test_every_change_leaves_an_audit_row(registry: Registry) -> None:
    (one,) = add(registry, "one")
    activate(registry, one, by="bob")
    newest, oldest = registry.audit()
    assert (newest.number, newest.by, newest.what, newest.subject) == (2, "bob", "activated", one)
    assert newest.details == {
        "domain": "shop",
        "labels_digest": LABELS_DIGEST,
        "sequence": 1,
        "shadow": None,
    }
    assert (oldest.number, oldest.by, oldest.what) == (1, "ann", "release added")
    assert registry.audit(limit=1) == (newest,)
    assert registry.audit(before=2) == (oldest,)
    assert registry.verify_audit() == 2


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE audit SET made_by = 'eve' WHERE number = 2", 2),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE number = 3", 3),
        ("UPDATE audit SET details = '{}' WHERE number = 1", 1),
        ("UPDATE audit SET details = '{' WHERE number = 1", 1),
        ("UPDATE audit SET hash = 'x' WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number >= 2", 2),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET number = number + 10 WHERE number = 3", 3),
        ("INSERT INTO audit SELECT 4, at_ms, made_by, what, subject, details, hash FROM audit "
         "WHERE number = 3", 4),
        ("UPDATE audit_head SET number = 2", 3),
        ("UPDATE audit_head SET hash = 'x'", 3),
        ("DELETE FROM audit_head", 3),
    ],
)  # fmt: skip
def test_the_first_audit_row_that_was_tampered_with_is_named(
    registry: Registry, tamper: Callable[..., None], statement: str, number: int
) -> None:
    add(registry, "one", "two", "three")
    assert registry.verify_audit() == 3
    tamper(statement, triggers=False)
    with pytest.raises(AuditBroken) as broken:
        registry.verify_audit()
    assert broken.value.number == number


def test_nothing_is_written_behind_a_trail_that_lost_its_end(
    registry: Registry, tamper: Callable[..., None]
) -> None:
    tamper("DELETE FROM audit_head")
    with pytest.raises(RegistryDamaged, match="restore a backup"):
        add(registry, "one")
