"""A registry's database while it is open."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from rule_store.registry.database import Database, Patience
from rule_store.registry.place import RegistryPlace
from rule_store.registry.schema import open_database


class OpenDatabase:
    """Opens and closes the database; `Registry` says what is in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url_or_path: str | Path, *, patience: Patience | None = None) -> Self:
        """Open a registry; a SQLite file that does not exist yet is made.

        Args:
            url_or_path: path of a SQLite file, or `postgresql://USER@HOST/DATABASE`.
            patience: how long to wait for the database.

        Raises:
            RegistryUnavailable: nobody answers, or it may not be used.
            RegistryOutdated: its schema is older or newer than this program's.
        """
        return cls(open_database(RegistryPlace.of(url_or_path), patience or Patience()))

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return str(self._database.place)
