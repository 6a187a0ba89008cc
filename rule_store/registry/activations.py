"""Activations as they stand in the registry, and the outbox of those not yet published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Select, insert, select, update

from rule_store.activation import ACTIVATION_BYTES, Activation, activation_to_bytes
from rule_store.binding import Binding
from rule_store.errors import InvalidActivation
from rule_store.registry import audit, bindings, releases
from rule_store.registry.database import Database
from rule_store.registry.limits import check_number, check_page
from rule_store.registry.tables import activations, outbox
from rule_store.registry_errors import RegistryConflict, UnknownActivation
from rule_store.signing import signed_from_bytes

# Room for the signatures beside the activation.
ENVELOPE_BYTES = ACTIVATION_BYTES + 64 * 1024

MakeEnvelope = Callable[[Activation], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRow:
    """An activation and what became of it.

    number: of the audit row that recorded it; later activations have higher ones.
    published_at_ms: when its envelope reached the topic; None while it waits, or was superseded.
    """

    number: int
    activation: Activation
    envelope: bytes
    published_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An activation as it is asked for; the registry gives it its sequence.

    at_least: the highest sequence known from elsewhere, such as from the topic.
    expected: sequence of the activation that is believed to be in force, 0 for none; None takes
        whatever is.
    binding: where it is going to be published; None where that is not known yet.
    """

    domain: str
    labels_digest: str
    digest: str
    shadow: str | None
    by: str
    at_ms: int
    at_least: int
    expected: int | None
    binding: Binding | None


def activate(database: Database, wish: Wish, make_envelope: MakeEnvelope) -> Activation:
    """Write activation, audit row and outbox row in one transaction.

    Raises:
        RegistryError, InvalidActivation: as `Registry.activate` says.
    """
    check_number("at_least_sequence", wish.at_least)
    with database.writing() as connection:
        digest = _fitting(connection, wish, wish.digest)
        shadow = _fitting(connection, wish, wish.shadow) if wish.shadow is not None else None
        newest = _newest(connection, wish.domain, wish.labels_digest)
        _refuse_overtaken(wish, newest)
        if wish.binding is not None:
            bindings.refuse_elsewhere(connection, wish.binding)
            bindings.bind(connection, wish.binding, by=wish.by, at_ms=wish.at_ms)
        activation = Activation(
            domain=wish.domain,
            labels_digest=wish.labels_digest,
            digest=digest,
            shadow=shadow,
            sequence=max(newest.sequence if newest else 0, wish.at_least) + 1,
            by=wish.by,
            at_ms=wish.at_ms,
        )
        _write(connection, activation, _checked(make_envelope(activation), activation))
        return activation


def active(database: Database, domain: str, labels_digest: str) -> Activation | None:
    """The activation in force."""
    with database.reading() as connection:
        return _newest(connection, domain, labels_digest)


def previous(database: Database, domain: str, labels_digest: str) -> Activation | None:
    """The last activation of another release than the one in force: where a roll-back leads."""
    with database.reading() as connection:
        newest = _newest(connection, domain, labels_digest)
        if newest is None:
            return None
        others = _of(domain, labels_digest).where(activations.c.digest != newest.digest)
        row = connection.execute(others.limit(1)).first()
        return None if row is None else _activation(row)


def history(
    database: Database,
    domain: str,
    *,
    labels_digest: str | None,
    limit: int,
    before: int | None,
) -> tuple[ActivationRow, ...]:
    """The newest activations of a domain first."""
    check_page(limit, before)
    query = (
        select(activations, outbox.c.envelope, outbox.c.published_at_ms)
        .join(outbox, outbox.c.number == activations.c.number)
        .where(activations.c.domain == domain)
        .order_by(activations.c.number.desc())
    )
    if labels_digest is not None:
        query = query.where(activations.c.labels_digest == labels_digest)
    if before is not None:
        query = query.where(activations.c.number < before)
    with database.reading() as connection:
        return tuple(
            ActivationRow(
                number=row.number,
                activation=_activation(row),
                envelope=row.envelope,
                published_at_ms=row.published_at_ms,
            )
            for row in connection.execute(query.limit(limit))
        )


def published(
    database: Database, domain: str, labels_digest: str, sequence: int, *, at_ms: int
) -> None:
    """Note that an activation stands in the topic; saying so again changes nothing.

    Raises:
        UnknownActivation: nothing was activated under this sequence.
    """
    check_number("at_ms", at_ms)
    named = {"domain": domain, "labels_digest": labels_digest, "sequence": sequence}
    with database.writing() as connection:
        if connection.execute(select(outbox.c.number).filter_by(**named)).first() is None:
            raise UnknownActivation(domain, sequence)
        waiting = update(outbox).filter_by(**named).where(outbox.c.published_at_ms.is_(None))
        connection.execute(waiting.values(published_at_ms=at_ms))


def _fitting(connection: Connection, wish: Wish, name: str) -> str:
    """The whole digest of a release that decides between the labels in question."""
    row = releases.find(connection, name)
    if (row.domain, row.labels_digest) != (wish.domain, wish.labels_digest):
        raise RegistryConflict(
            f"release {row.digest} is for domain {row.domain} and labels {row.labels_digest}, "
            f"not for {wish.domain} and {wish.labels_digest}; activate it for its own"
        )
    return row.digest


def _refuse_overtaken(wish: Wish, newest: Activation | None) -> None:
    if wish.expected is None or wish.expected == (newest.sequence if newest else 0):
        return
    now = (
        f"{newest.by} has activated {newest.digest} (sequence {newest.sequence})"
        if newest
        else "nothing is in force"
    )
    raise RegistryConflict(
        f"{now} in domain {wish.domain}, where sequence {wish.expected} was expected; look at "
        "`kdsl release history` and activate again if yours shall win"
    )


def _checked(envelope: bytes, activation: Activation) -> bytes:
    """Refuse to publish anything but this activation."""
    if len(envelope) > ENVELOPE_BYTES:
        raise InvalidActivation(
            "envelope", f"{len(envelope)} bytes are more than the {ENVELOPE_BYTES} allowed"
        )
    if signed_from_bytes(envelope).content != activation_to_bytes(activation):
        raise InvalidActivation("envelope", "holds something else; sign `activation_to_bytes`")
    return envelope


def _write(connection: Connection, activation: Activation, envelope: bytes) -> None:
    place: dict[str, str | int] = {
        "domain": activation.domain,
        "labels_digest": activation.labels_digest,
        "sequence": activation.sequence,
    }
    number = audit.append(
        connection,
        "activated",
        activation.digest,
        {**place, "shadow": activation.shadow},
        by=activation.by,
        at_ms=activation.at_ms,
    )
    who = {"made_by": activation.by, "at_ms": activation.at_ms}
    what = {"digest": activation.digest, "shadow": activation.shadow}
    connection.execute(insert(activations).values(**place, **what, **who, number=number))
    connection.execute(insert(outbox).values(**place, number=number, envelope=envelope))


def _newest(connection: Connection, domain: str, labels_digest: str) -> Activation | None:
    row = connection.execute(_of(domain, labels_digest).limit(1)).first()
    return None if row is None else _activation(row)


def _of(domain: str, labels_digest: str) -> Select[tuple[object, ...]]:
    query = select(activations).filter_by(domain=domain, labels_digest=labels_digest)
    return query.order_by(activations.c.sequence.desc())


def _activation(row: Row[tuple[object, ...]]) -> Activation:
    return Activation(
        domain=row.domain,
        labels_digest=row.labels_digest,
        digest=row.digest,
        shadow=row.shadow,
        sequence=row.sequence,
        by=row.made_by,
        at_ms=row.at_ms,
    )
