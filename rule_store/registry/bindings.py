"""Which topic a registry belongs to: that of its first activation, until somebody says other."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from rule_store.binding import Binding
from rule_store.registry import audit
from rule_store.registry.limits import check_text
from rule_store.registry.tables import activations
from rule_store.registry.tables import binding as table
from rule_store.registry_errors import RegistryConflict


def bind(connection: Connection, binding: Binding, *, by: str, at_ms: int) -> Binding | None:
    """Let the registry belong there, inside a writing transaction; where it belonged before.

    Args:
        connection: the transaction.
        binding: where it is going to publish.
        by: who says so, for the audit trail; nothing is written when it belongs there already.
        at_ms: when.
    """
    before = _bound(connection)
    if before != binding:
        _write(connection, binding, before, by=by, at_ms=at_ms)
    return before


def refuse_elsewhere(connection: Connection, binding: Binding) -> None:
    """Raise where the registry must not publish; one without activations may anywhere.

    Raises:
        RegistryConflict: it belongs elsewhere, or has activations and belongs nowhere yet.
    """
    bound = _bound(connection)
    if bound is not None and bound != binding:
        raise RegistryConflict(
            f"the registry belongs to {bound}, and this is {binding}: name the registry of this "
            "one with --registry, or let it belong here with `kdsl release registry rebind`"
        )
    if unbound(connection):
        raise RegistryConflict(
            "the registry has activations and belongs nowhere yet: say where with "
            "`kdsl release registry rebind`"
        )


def unbound(connection: Connection) -> bool:
    """Whether it has activations and belongs nowhere, as one of an older schema."""
    any_activation = select(activations.c.number).limit(1)
    return _bound(connection) is None and connection.execute(any_activation).first() is not None


def _bound(connection: Connection) -> Binding | None:
    row = connection.execute(select(table.c.cluster, table.c.prefix)).first()
    return None if row is None else Binding(cluster=row.cluster, prefix=row.prefix)


def _write(
    connection: Connection, binding: Binding, before: Binding | None, *, by: str, at_ms: int
) -> None:
    values = {"cluster": binding.cluster, "prefix": binding.prefix}
    for name, text in values.items():
        if text:
            check_text(name, text)
    details: dict[str, audit.Detail] = {**values, "before": None if before is None else str(before)}
    audit.append(connection, "bound", str(binding), details, by=by, at_ms=at_ms)
    connection.execute(delete(table))
    connection.execute(insert(table).values(id=1, **values))
