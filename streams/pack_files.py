"""The files of a domain pack: bounded, and every complaint names file and place."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streams.errors import InvalidDomain

FILE_BYTES = 4 * 1024 * 1024


def read_text(path: Path) -> str:
    """Read a text file of a pack.

    Raises:
        InvalidDomain: unreadable, or too large.
    """
    try:
        if path.stat().st_size > FILE_BYTES:
            raise InvalidDomain(f"{path} is larger than {FILE_BYTES} bytes; split it")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDomain(f"{path} cannot be read: {error}") from error


def read_table(path: Path) -> "TomlTable":
    """Read a TOML file of a pack.

    Raises:
        InvalidDomain: unreadable, too large, or no TOML.
    """
    return parse_table(read_text(path), path)


def parse_table(text: str, path: Path) -> "TomlTable":
    """Read the text of a TOML file of a pack.

    Raises:
        InvalidDomain: no TOML.
    """
    try:
        return TomlTable(tomllib.loads(text), path, "")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidDomain(f"{path} cannot be read: {error}") from error


class TomlTable:
    """Typed reading of a TOML table; every complaint names file and place."""

    def __init__(self, table: Mapping[str, Any], path: Path, place: str) -> None:
        self._table = table
        self._path = path
        self._place = place

    def value(self, name: str) -> object:
        """What stands there, whatever it is; None for nothing."""
        return self._table.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._table)

    def fail(self, name: str, expected: str) -> InvalidDomain:
        place = ".".join(part for part in (self._place, name) if part)
        return InvalidDomain(f"{self._path}: {place} must be {expected}")

    def text(self, name: str, limit: int) -> str:
        value = self._table.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= limit:
            raise self.fail(name, f"a string of 1 to {limit} characters")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        value = self._table.get(name)
        # NaN compares false with everything, so it fails the range too.
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise self.fail(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._table.get(name)
        if not isinstance(values, list) or not values:
            raise self.fail(name, "a list of strings, at least one")
        for value in values:
            if not isinstance(value, str) or not value:
                raise self.fail(name, "a list of strings, none of them empty")
        return tuple(values)

    def is_table(self, name: str) -> bool:
        return isinstance(self._table.get(name), dict)

    def mapping(self, name: str) -> "TomlTable":
        value = self._table.get(name)
        if not isinstance(value, dict):
            raise self.fail(name, f"a table: [{name}]")
        return TomlTable(value, self._path, ".".join(part for part in (self._place, name) if part))

    def tables(self, name: str) -> dict[str, "TomlTable"]:
        table = self.mapping(name)
        return {inner: table.mapping(inner) for inner in table.names}

    def rows(self, name: str) -> list["TomlTable"]:
        values = self._table.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.fail(name, f"tables: [[{name}]]")
        place = ".".join(part for part in (self._place, name) if part)
        return [
            TomlTable(value, self._path, f"{place}[{position}]")
            for position, value in enumerate(values)
        ]
