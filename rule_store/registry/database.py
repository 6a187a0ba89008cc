"""The database of a registry: short transactions that end, errors that have a name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rule_store.registry.place import RegistryPlace
from rule_store.registry.tables import audit_head
from rule_store.registry_errors import (
    RegistryConflict,
    RegistryDamaged,
    RegistryError,
    RegistryUnavailable,
)

# What SQLite begins a transaction with, by the engine's purpose.
_BEGIN = "kdsl_begin"
_BUSY = ("database is locked", "lock timeout", "statement timeout", "database table is locked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the registry waits before it says that the database does not answer.

    connect_s: for a connection to PostgreSQL.
    lock_s: for another writer to end.
    statement_s: for one statement on PostgreSQL; SQLite's only wait is for a lock.
    """

    connect_s: int = 10
    lock_s: float = 10.0
    statement_s: float = 60.0


class Database:
    """Connections to one place; a transaction either reads one state or writes alone."""

    def __init__(self, place: RegistryPlace, patience: Patience) -> None:
        self.place = place
        self._engine = _sqlite(place, patience) if place.file else _postgres(place, patience)
        self._reader = self._engine.execution_options(**_read_options(place))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        with self._named(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction beside which no other writes; nothing of it stays when it raises.

        On SQLite it begins with the write lock, on PostgreSQL with the lock of the row in which
        the audit trail ends.
        """
        with self.altering() as connection:
            locked = select(audit_head.c.id).with_for_update()
            if connection.execute(locked).first() is None:
                raise RegistryDamaged(
                    f"registry {self.place} has lost the end of its audit trail; restore a backup"
                )
            yield connection

    @contextmanager
    def altering(self) -> Iterator[Connection]:
        """A transaction that may change the schema, and waits for no table to exist."""
        with self._named(), self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Give what the driver raises a name and a cure, without the statement's values."""
        try:
            yield
        except IntegrityError as error:
            raise RegistryConflict(
                f"registry {self.place}: another writer was first ({_reason(error, self.place)}); "
                "look at what stands there now and try again"
            ) from error
        except (DBAPIError, PoolTimeout) as error:
            raise self._unavailable(_reason(error, self.place)) from error

    def _unavailable(self, reason: str) -> RegistryError:
        if any(words in reason for words in _BUSY):
            return RegistryUnavailable(
                str(self.place), f"another writer holds it ({reason}); try again when it has ended"
            )
        return RegistryUnavailable(
            str(self.place),
            f"the database does not answer as it should ({reason}); check that it is there, that "
            "it runs and that you may write it",
        )


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...
    def close(self) -> None: ...


class _SqliteConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def _sqlite(place: RegistryPlace, patience: Patience) -> Engine:
    engine = create_engine(
        place.url, hide_parameters=True, connect_args={"timeout": patience.lock_s}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: _SqliteConnection, _record: object) -> None:
        # The driver begins transactions of its own otherwise, and not before DDL.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "journal_mode=WAL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its lock at once: one that reads first would fail instead of waiting.
        connection.exec_driver_sql(
            connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE")
        )

    return engine


def _postgres(place: RegistryPlace, patience: Patience) -> Engine:
    try:
        engine = create_engine(
            place.url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=patience.lock_s,
            connect_args={"connect_timeout": patience.connect_s},
        )
    except (ImportError, NoSuchModuleError) as error:
        raise RegistryUnavailable(
            str(place),
            "psycopg is not installed; it comes with the extra postgres of kdsl, from its "
            "checkout: pip install '.[postgres]'",
        ) from error
    limits = {"lock_timeout": patience.lock_s, "statement_timeout": patience.statement_s}
    # A client that stopped in the middle of a transaction keeps all writers waiting.
    limits["idle_in_transaction_session_timeout"] = patience.statement_s

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # By transaction, not by session: so it holds behind a connection pooler too.
        connection.execute(
            select(*(func.set_config(k, f"{int(v * 1000)}ms", True) for k, v in limits.items()))
        )

    return engine


def _read_options(place: RegistryPlace) -> dict[str, Any]:
    if place.file is not None:
        return {_BEGIN: "BEGIN"}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _reason(error: Exception, place: RegistryPlace) -> str:
    """The driver's first line, without the password should it hold it."""
    cause = getattr(error, "orig", None) or error
    line = (str(cause).strip() or type(cause).__name__).splitlines()[0][:300]
    password = place.url.password
    return line.replace(str(password), "***") if password else line
