"""Typed, bounded reading of the fields of one decoded MessagePack map."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from streams.errors import DecodeError

T = TypeVar("T")

_MAX_INT = 2**63 - 1


class Fields:
    """One map of a record; every getter checks type and bound and names the place it failed at.

    Unknown fields are never looked at: a minor version may add some. An optional field that is nil
    counts as left out, since not every producer's language tells the two apart.
    """

    __slots__ = ("_map", "_place")

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise DecodeError(f"{place} is {type(value).__name__}, expected a map")
        self._map: Mapping[Any, Any] = value
        self._place = place

    def _fail(self, name: str, expected: str) -> DecodeError:
        return DecodeError(f"{self._place}.{name} must be {expected}")

    def text(self, name: str, limit: int, *, empty: bool = False) -> str:
        value = self._map.get(name)
        if type(value) is not str or len(value) > limit or not (value or empty):
            floor = 0 if empty else 1
            raise self._fail(name, f"a string of {floor} to {limit} characters")
        return value

    def text_or_none(self, name: str, limit: int) -> str | None:
        return None if self._map.get(name) is None else self.text(name, limit)

    def _value(self, name: str, default: object) -> object:
        value = self._map.get(name)
        return default if value is None else value

    def integer(self, name: str, *, default: int | None = None, most: int = _MAX_INT) -> int:
        value = self._value(name, default)
        if type(value) is not int or not 0 <= value <= most:
            raise self._fail(name, f"an integer from 0 to {most}")
        return value

    def integer_or_none(self, name: str) -> int | None:
        return None if self._map.get(name) is None else self.integer(name)

    def number(self, name: str) -> float:
        """A probability: a number from 0 to 1."""
        value = self._map.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self._fail(name, "a number from 0 to 1")
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._value(name, default)
        if type(value) is not bool:
            raise self._fail(name, "true or false")
        return value

    def flag_or_none(self, name: str) -> bool | None:
        return None if self._map.get(name) is None else self.flag(name, default=False)

    def octets(self, name: str, limit: int) -> bytes:
        value = self._map.get(name)
        if type(value) is not bytes or len(value) > limit:
            raise self._fail(name, f"at most {limit} bytes")
        return value

    def octets_or_none(self, name: str, limit: int) -> bytes | None:
        return None if self._map.get(name) is None else self.octets(name, limit)

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        value = self._map.get(name)
        if type(value) is not str or value not in choices:
            raise self._fail(name, "one of " + ", ".join(choices))
        return value

    def one(self, name: str, read: Callable[["Fields"], T]) -> T:
        """A map within the map, read by `read`."""
        return read(Fields(self._map.get(name), f"{self._place}.{name}"))

    def one_or_none(self, name: str, read: Callable[["Fields"], T]) -> T | None:
        return None if self._map.get(name) is None else self.one(name, read)

    def many(
        self, name: str, limit: int, read: Callable[["Fields"], T], *, at_least: int = 0
    ) -> tuple[T, ...]:
        """A list of maps, each read by `read`."""
        values = self._value(name, [])
        if type(values) is not list or not at_least <= len(values) <= limit:
            raise self._fail(name, f"a list of {at_least} to {limit} maps")
        return tuple(
            read(Fields(value, f"{self._place}.{name}[{position}]"))
            for position, value in enumerate(values)
        )

    def texts(self, name: str, limit: int, chars: int) -> tuple[str, ...]:
        values = self._value(name, [])
        if type(values) is not list or len(values) > limit:
            raise self._fail(name, f"a list of at most {limit} strings")
        for value in values:
            if type(value) is not str or not 1 <= len(value) <= chars:
                raise self._fail(name, f"strings of 1 to {chars} characters")
        return tuple(values)

    def texts_or_none(self, name: str, limit: int, chars: int) -> tuple[str, ...] | None:
        return None if self._map.get(name) is None else self.texts(name, limit, chars)
