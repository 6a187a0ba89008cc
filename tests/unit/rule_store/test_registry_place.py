"""RegistryPlace: which database a text names, and what may be shown of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from rule_store.registry.place import RegistryPlace, default_registry_path
from rule_store.registry_errors import RegistryUnavailable


@pytest.mark.parametrize("given", ["rules.db", "./rules.db", Path("rules.db")])
def test_a_path_is_a_sqlite_file(given: str | Path) -> None:
    place = RegistryPlace.of(given)
    assert place.file == Path.cwd() / "rules.db"
    assert str(place) == str(place.file)


def test_a_link_is_the_file_behind_it(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    assert RegistryPlace.of(tmp_path / "link.db") == RegistryPlace.of(tmp_path / "real.db")


def test_a_sqlite_url_is_its_file() -> None:
    assert RegistryPlace.of("sqlite:////home/a%20b.db") == RegistryPlace.of("/home/a b.db")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_takes_the_same_driver(scheme: str) -> None:
    place = RegistryPlace.of(f"{scheme}://ann:hush@db.example:5433/kdsl?password=hush&sslmode=x")
    assert place.file is None
    assert place.url.drivername == "postgresql+psycopg"
    assert place.url.password == "hush"
    assert str(place) == "postgresql://ann@db.example:5433/kdsl"
    assert repr(place) == "RegistryPlace(postgresql://ann@db.example:5433/kdsl)"


@pytest.mark.parametrize(
    "url",
    ["mysql://ann:hush@db/kdsl", "sqlite://", "sqlite:///:memory:", "://hush", "postgresql://a:hush@b:x/c"],
)  # fmt: skip
def test_what_names_neither_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(RegistryUnavailable, match="give the path of a SQLite file") as refused:
        RegistryPlace.of(url)
    assert "hush" not in str(refused.value)


def test_the_default_is_a_file_of_the_user() -> None:
    assert default_registry_path().name == "registry.db"
    assert "kdsl" in default_registry_path().parts


def test_no_worker_loads_what_only_the_registry_needs() -> None:
    """Every process of `kdsl` imports the command line; the registry is imported by its command."""
    code = (
        "import sys; import rule_store, streams.app, streams.worker, streams.cli.main; "
        "print({'sqlalchemy', 'alembic', 'psycopg'} & set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed == "set()\n"
