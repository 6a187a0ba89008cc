"""Fixtures of the tests on a real registry."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from rule_store.registry import Registry, upgrade
from rule_store.registry.place import RegistryPlace


@pytest.fixture(params=["sqlite", "postgresql"])
def registry_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A registry without content, on each database in turn."""
    if request.param == "sqlite":
        url = str(tmp_path / "registry.db")
    else:
        url = str(request.getfixturevalue("postgres_url"))
    upgrade(url)
    return url


@pytest.fixture
def registry(registry_url: str) -> Iterator[Registry]:
    with Registry.open(registry_url) as registry:
        yield registry


@pytest.fixture
def tamper(registry_url: str) -> Callable[..., None]:
    """Runs SQL past the program: with the triggers in place, or after dropping them."""

    def run(*statements: str, triggers: bool = True) -> None:
        engine = create_engine(RegistryPlace.of(registry_url).url, poolclass=NullPool)
        sqlite = engine.dialect.name == "sqlite"
        with engine.begin() as connection:
            for table in ("releases", "audit") if not triggers else ():
                for event in ("update", "delete") if sqlite else ("change", "truncate"):
                    on = "" if sqlite else f" ON {table}"
                    connection.execute(text(f"DROP TRIGGER {table}_no_{event}{on}"))
            for statement in statements:
                connection.execute(text(statement))

    return run
