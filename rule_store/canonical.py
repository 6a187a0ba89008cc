"""Canonical JSON: one value, one byte string; and a reader that trusts nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rule_store.errors import InvalidActivation, InvalidRelease, part, shown
from rule_store.lexicon import is_text

SCHEMA = "1.0"
_SCHEMA = re.compile(r"([0-9]{1,4})\.[0-9]{1,4}")

# What may be built of bytes: an empty list takes three of them in JSON and seventy in memory, so 16
# MiB could become 700. A rule of four literals holds 6 containers and 18 values.
CONTAINERS = 1_000_000
VALUES = 4_000_000

Refusal = type[InvalidRelease] | type[InvalidActivation]


def canonical_json(value: object) -> bytes:
    """Encode as JSON with sorted keys, no white space, UTF-8.

    >>> canonical_json({"b": 1, "a": ["é"]}).decode()
    '{"a":["é"],"b":1}'
    """
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of a JSON object, read with their types checked.

    where: path of the object from the top, for messages.
    refusal: what to raise.
    """

    values: Mapping[str, object]
    where: str
    refusal: Refusal

    def path(self, name: str) -> str:
        return f"{self.where}.{part(name)}" if self.where else part(name)

    def refuse(self, name: str, fault: str) -> InvalidRelease | InvalidActivation:
        return self.refusal(self.path(name), fault)

    def value(self, name: str) -> object:
        if name not in self.values:
            raise self.refuse(name, "is missing")
        return self.values[name]

    def text(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str) or not is_text(value):
            raise self.refuse(name, f"must be a text, not {kind(value)}")
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self.values.get(name) is None else self.text(name)

    def number(self, name: str) -> float:
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(name, f"must be a number, not {kind(value)}")
        try:
            return float(value)
        except OverflowError:
            raise self.refuse(name, "is too large for a number") from None

    def integer(self, name: str) -> int:
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refuse(name, f"must be a whole number, not {kind(value)}")
        return value

    def flag(self, name: str) -> bool:
        value = self.value(name)
        if not isinstance(value, bool):
            raise self.refuse(name, f"must be true or false, not {kind(value)}")
        return value

    def items(self, name: str) -> list[object]:
        value = self.value(name)
        if not isinstance(value, list):
            raise self.refuse(name, f"must be a list, not {kind(value)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of texts."""
        texts: list[str] = []
        for position, item in enumerate(self.items(name)):
            if not isinstance(item, str) or not is_text(item):
                raise self.refuse(f"{name}[{position}]", f"must be a text, not {kind(item)}")
            texts.append(item)
        return tuple(texts)

    def fields(self, name: str) -> Fields:
        """Read an object."""
        return self.of(self.value(name), name)

    def of(self, value: object, name: str) -> Fields:
        """Take a value found below this object as an object of its own."""
        if not isinstance(value, dict):
            raise self.refuse(name, f"must be an object, not {kind(value)}")
        return Fields(values=value, where=self.path(name), refusal=self.refusal)


def kind(value: object) -> str:
    """Name a JSON value's type in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text" if is_text(value) else "a text with a lone surrogate"
        case list():
            return "a list"
        case _:
            return "an object"


def read_fields(content: bytes, *, limit_bytes: int, refusal: Refusal) -> Fields:
    """Decode bounded JSON bytes whose top is an object of a schema that is understood.

    Raises:
        InvalidRelease, InvalidActivation: as `refusal` says; too large, no JSON, a key twice,
            a number that is not finite, or a major schema of the future.
    """
    if len(content) > limit_bytes:
        raise refusal("", f"{len(content)} bytes are more than the {limit_bytes} allowed")
    check_counts(content, refusal)
    try:
        top: object = json.loads(
            content.decode(),
            object_pairs_hook=_object,
            parse_constant=_not_finite,
            parse_float=_finite,
        )
    except RecursionError:
        raise refusal("", "is nested too deeply") from None
    except ValueError as error:  # also bad UTF-8, bad JSON, integers of thousands of digits
        raise refusal("", f"is not the JSON expected ({_short(error)}); build it again") from None
    if not isinstance(top, dict):
        raise refusal("", f"must be an object, not {kind(top)}")
    fields = Fields(values=top, where="", refusal=refusal)
    check_schema(fields)
    return fields


def check_counts(content: bytes, refusal: Refusal) -> None:
    """Bound what parsing would build, before it does; brackets and commas of texts count too."""
    containers = content.count(b"[") + content.count(b"{")
    values = containers + content.count(b",")
    for count, most, noun in ((containers, CONTAINERS, "brackets"), (values, VALUES, "values")):
        if count > most:
            raise refusal("", f"{count} {noun} are more than the {most} allowed; drop rules")


def check_schema(fields: Fields) -> None:
    """Take every minor of the own major schema, refuse every other major."""
    schema = fields.text("schema")
    found = _SCHEMA.fullmatch(schema)
    if found is None:
        raise fields.refuse("schema", f'must be "major.minor", not {shown(schema)}')
    if found[1] != SCHEMA.partition(".")[0]:
        raise fields.refuse("schema", f"{schema} is unknown; this kdsl reads {SCHEMA}: update it")


def _short(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return str(error)[:200]


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("an object holds a key twice")
    return values


def _finite(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _not_finite(literal: str) -> float:
    raise ValueError(f"{literal} is not a number")
