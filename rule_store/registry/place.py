"""Where a registry is: a SQLite file or a PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import platformdirs
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from rule_store.registry_errors import RegistryUnavailable

_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
_CURE = "give the path of a SQLite file, or postgresql://USER@HOST/DATABASE"


def default_registry_path() -> Path:
    """The SQLite file that is used when nobody names another place."""
    return platformdirs.user_data_path("kdsl") / "registry.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPlace:
    """A place with the driver it needs; as text it is safe to show: without password or options.

    file: the SQLite file; None for PostgreSQL.
    """

    url: URL
    file: Path | None

    @classmethod
    def of(cls, url_or_path: str | Path) -> Self:
        """Read a URL or a path.

        >>> str(RegistryPlace.of("postgresql://ann:secret@db.example/kdsl?sslmode=require"))
        'postgresql://ann@db.example/kdsl'

        Raises:
            RegistryUnavailable: a URL of neither database.
        """
        text = str(url_or_path)
        if isinstance(url_or_path, Path) or "://" not in text:
            return cls._of_file(Path(text))
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            # Not quoted: a URL that cannot be read may hold a password anywhere.
            raise RegistryUnavailable("URL", f"cannot be read; {_CURE}") from None
        if url.drivername == "sqlite" and url.database not in (None, "", ":memory:"):
            return cls._of_file(Path(str(url.database)))
        if url.drivername in _POSTGRES:
            return cls(url=url.set(drivername="postgresql+psycopg"), file=None)
        raise RegistryUnavailable("URL", f"{url.drivername} is no registry; {_CURE}")

    @classmethod
    def _of_file(cls, path: Path) -> Self:
        # By all its names it is one file, with one lock of those who refresh.
        file = path.expanduser().resolve()
        return cls(url=URL.create("sqlite", database=str(file)), file=file)

    def __str__(self) -> str:
        if self.file is not None:
            return str(self.file)
        url = self.url
        shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
        return shown.render_as_string()

    def __repr__(self) -> str:
        return f"RegistryPlace({self})"
