"""The schema of a registry: which revision it has, and the way to another."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text

from rule_store.registry.database import Database, Patience
from rule_store.registry.place import RegistryPlace
from rule_store.registry_errors import RegistryOutdated, RegistryUnavailable

UPGRADE = "kdsl release registry upgrade"
# Names our migrations among PostgreSQL's advisory locks.
_LOCK = 0x6B64736C


def open_database(place: RegistryPlace, patience: Patience) -> Database:
    """Connect to a registry of this program's schema; a SQLite file that is new is made.

    Raises:
        RegistryUnavailable: nobody answers.
        RegistryOutdated: an older or newer schema, none, or that of another program.
    """
    if place.file is not None:
        _make_file(place.file)
    database = Database(place, patience)
    try:
        if place.file is not None:
            _fill_when_empty(database)
        with database.reading() as connection:
            _check(connection, place)
    except BaseException:
        database.close()
        raise
    return database


def upgrade(url_or_path: str | Path, *, patience: Patience | None = None) -> None:
    """Bring a registry to this program's schema; what stands in it stays.

    Raises:
        RegistryUnavailable: nobody answers.
        RegistryOutdated: it is newer already, or belongs to another program.
    """
    _migrate(url_or_path, "head", patience)


def downgrade(url_or_path: str | Path, revision: str, *, patience: Patience | None = None) -> None:
    """Take a registry back to an older schema; what that cannot hold is lost.

    Args:
        url_or_path: the registry.
        revision: as Alembic has it: `0001`, `-1`, or `base` for no table at all.
        patience: how long to wait.

    Raises:
        RegistryUnavailable: nobody answers.
        RegistryOutdated: no such revision below the one it has.
    """
    _migrate(url_or_path, revision, patience, down=True)


def known_revision() -> str:
    """The revision this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or "base"


def _migrate(
    url_or_path: str | Path, revision: str, patience: Patience | None, *, down: bool = False
) -> None:
    place = RegistryPlace.of(url_or_path)
    if place.file is not None:
        _make_file(place.file)
    database = Database(place, patience or Patience())
    try:
        with database.altering() as connection:
            _lock(connection)
            found = _revision(connection)
            _refuse_foreign(connection, place, found)
            try:
                _run(connection, revision, down=down)
            except CommandError as error:
                raise RegistryOutdated(
                    str(place),
                    found=found,
                    known=known_revision(),
                    fault=f"cannot go from schema {found} to {revision} ({error}); {_known()}",
                ) from error
    finally:
        database.close()


def _lock(connection: Connection) -> None:
    """Wait for others who migrate; SQLite began with its write lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _fill_when_empty(database: Database) -> None:
    with database.reading() as connection:
        if inspect(connection).get_table_names():
            return
    with database.altering() as connection:
        # Another process may have filled it since.
        if not inspect(connection).get_table_names():
            _run(connection, "head")


def _check(connection: Connection, place: RegistryPlace) -> None:
    found, known = _revision(connection), known_revision()
    if found == known:
        return
    _refuse_foreign(connection, place, found)
    fault = f"has schema {found}, this kdsl works with {known}; migrate it with `{UPGRADE}`"
    if found is None:
        fault = f"has no tables yet; make them with `{UPGRADE}`"
    elif found not in _revisions():
        fault = f"has schema {found}, which this kdsl does not know ({_known()}); update kdsl"
    raise RegistryOutdated(str(place), found=found, known=known, fault=fault)


def _refuse_foreign(connection: Connection, place: RegistryPlace, found: str | None) -> None:
    """Touch no tables beside which ours would be guests; PostgreSQL has schemas for that."""
    tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
    ours = found is None or "audit_head" in tables
    if tables and (found is None or not ours):
        raise RegistryOutdated(
            str(place),
            found=found,
            known=known_revision(),
            fault="belongs to another program; name a file or a database of its own",
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _revisions() -> set[str]:
    walked = ScriptDirectory.from_config(_config()).walk_revisions()
    return {script.revision for script in walked}


def _known() -> str:
    return f"it knows {', '.join(sorted(_revisions()))}"


def _run(connection: Connection, revision: str, *, down: bool = False) -> None:
    config = _config()
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)


def _config() -> Config:
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    # The option is read with interpolation: a percent sign in the path must be doubled.
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _make_file(file: Path) -> None:
    """Make the file readable for its owner alone: it will hold what people wrote."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise RegistryUnavailable(
            str(file), f"cannot be made ({error.strerror}); name a place you may write"
        ) from error
