"""Registry: where it is, and its schema's ways up and down, on SQLite and on PostgreSQL."""

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from rule_store import Binding
from rule_store.registry import Patience, Registry, downgrade, upgrade
from rule_store.registry.place import RegistryPlace
from rule_store.registry.schema import known_revision
from rule_store.registry.tables import metadata
from rule_store.registry_errors import RegistryOutdated, RegistryUnavailable
from tests.factories import NOW_MS
from tests.postgres import PostgresServer
from tests.registries import LABELS_DIGEST, activate, add, example, waiting


def engine_of(url: str) -> Engine:
    return create_engine(RegistryPlace.of(url).url, poolclass=NullPool)


def run(url: str, statement: str) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_the_migrations_make_the_tables_that_the_program_reads(registry_url: str) -> None:
    engine = engine_of(registry_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_down_and_up_again_keeps_what_the_older_schema_can_hold(registry_url: str) -> None:
    with Registry.open(registry_url) as registry:
        (one,) = add(registry, "one")
        activation = activate(registry, one)
        registry.add_examples("shop", [example("a")], by="ann", at_ms=NOW_MS)
    downgrade(registry_url, "0001")
    with pytest.raises(RegistryOutdated, match="has schema 0001") as old:
        Registry.open(registry_url)
    assert "migrate it with `kdsl release registry upgrade`" in str(old.value)
    assert (old.value.found, old.value.known) == ("0001", known_revision())
    upgrade(registry_url)
    upgrade(registry_url)
    with Registry.open(registry_url) as registry:
        assert registry.active("shop", LABELS_DIGEST) == activation
        assert [row.activation for row in waiting(registry)] == [activation]
        assert registry.signed(one).content
        assert list(registry.examples("shop")) == []
        assert registry.verify_audit() == 3


def test_down_and_up_again_a_registry_belongs_where_the_audit_trail_last_says(
    registry_url: str,
) -> None:
    before, here = (Binding(cluster="pK7c", prefix=each) for each in ("", "staging-"))
    with Registry.open(registry_url) as registry:
        registry.bind(before, by="ann", at_ms=NOW_MS)
        registry.bind(here, by="ann", at_ms=NOW_MS)
        activate(registry, *add(registry, "one"))
    downgrade(registry_url, "0002")
    upgrade(registry_url)
    with Registry.open(registry_url) as registry:
        registry.refuse_elsewhere(here)
        assert registry.bind(here, by="ann", at_ms=NOW_MS) == here
        assert registry.verify_audit() == 4


def test_a_registry_of_an_older_kdsl_belongs_nowhere_until_somebody_says_where(
    registry_url: str,
) -> None:
    with Registry.open(registry_url) as registry:
        activate(registry, *add(registry, "one"))  # as before there were bindings
    downgrade(registry_url, "0002")
    upgrade(registry_url)
    with Registry.open(registry_url) as registry:
        assert registry.unbound
        assert registry.verify_audit() == 2


def test_all_the_way_down_leaves_no_table_and_no_function(registry_url: str) -> None:
    with Registry.open(registry_url) as registry:
        activate(registry, *add(registry, "one"))
    downgrade(registry_url, "base")
    engine = engine_of(registry_url)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    with pytest.raises(RegistryOutdated, match="has no tables yet"):
        Registry.open(registry_url)
    upgrade(registry_url)
    with Registry.open(registry_url) as registry:
        assert registry.verify_audit() == 0


def test_a_migration_that_fails_leaves_everything_as_it_was(registry_url: str) -> None:
    with Registry.open(registry_url) as registry:
        activate(registry, *add(registry, "one"))
    run(registry_url, "DROP TABLE outbox")  # so that the way down breaks in its middle
    with pytest.raises(RegistryUnavailable):
        downgrade(registry_url, "base")
    engine = engine_of(registry_url)
    assert set(metadata.tables) - set(inspect(engine).get_table_names()) == {"outbox"}


def test_a_registry_of_a_newer_schema_is_refused(registry_url: str) -> None:
    run(registry_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RegistryOutdated, match=r"9999.*\(it knows 0001, 0002, 0003\); update kdsl"):
        Registry.open(registry_url)
    with pytest.raises(RegistryOutdated, match="cannot go from schema 9999"):
        upgrade(registry_url)


def test_a_revision_that_does_not_exist_is_refused(registry_url: str) -> None:
    with pytest.raises(RegistryOutdated, match="cannot go from schema 0003 to 0815"):
        downgrade(registry_url, "0815")


def test_tables_of_another_program_are_left_alone(registry_url: str) -> None:
    downgrade(registry_url, "base")
    run(registry_url, "CREATE TABLE customers (id INTEGER)")
    refused: tuple[Callable[[str], object], ...] = (Registry.open, upgrade)
    for attempt in refused:
        with pytest.raises(RegistryOutdated, match="belongs to another program"):
            attempt(registry_url)


def test_an_empty_postgresql_database_waits_for_the_upgrade_command(postgres_url: str) -> None:
    with pytest.raises(RegistryOutdated, match="has no tables yet") as refused:
        Registry.open(postgres_url)
    assert refused.value.found is None
    upgrade(postgres_url)
    Registry.open(postgres_url).close()


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "100 %" / "registry.db"
    with Registry.open(file) as registry:
        assert registry.place == str(file)
        add(registry, "one")
        for each in file.parent.iterdir():
            assert stat.S_IMODE(each.stat().st_mode) == 0o600, each


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    file.write_text("these are my notes\n" * 1000)
    with pytest.raises(RegistryUnavailable, match="file is not a database"):
        Registry.open(file)
    assert file.read_text() == "these are my notes\n" * 1000
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryUnavailable, match="cannot be made"):
        Registry.open(tmp_path / "file" / "registry.db")


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql://ann:hush-hush@/kdsl?host={tmp_path}&passfile=hush-hush"
    with pytest.raises(RegistryUnavailable) as refused:
        Registry.open(url, patience=Patience(connect_s=2))
    assert "postgresql://ann@/kdsl" in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_wrong_password_is_not_repeated(postgres: PostgresServer) -> None:
    url = postgres.new_database().replace(postgres.password, "hush-hush")
    with pytest.raises(RegistryUnavailable, match="password authentication failed") as refused:
        Registry.open(url)
    assert "hush" not in str(refused.value)


def test_an_installed_wheel_brings_its_migrations(installed: Path, tmp_path: Path) -> None:
    """And says what to install when PostgreSQL is asked for without its driver."""
    code = (
        "import sys; from rule_store.registry import Registry; "
        "print(Registry.open(sys.argv[1]).verify_audit())"
    )
    python = str(installed.parent / "python")
    for place, status, printed in (
        (str(tmp_path / "registry.db"), 0, "0\n"),
        ("postgresql://ann@localhost/kdsl", 1, "pip install '.[postgres]'\n"),
    ):
        run = subprocess.run(
            [python, "-I", "-c", code, place], cwd=tmp_path, capture_output=True, text=True
        )
        assert (run.returncode, (run.stdout + run.stderr)[-len(printed) :]) == (status, printed)
