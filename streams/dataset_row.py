"""Row: typed reading of one labelled dialogue, as a line of JSON spells it."""

from collections.abc import Iterator
from typing import Any, Literal

from streams.errors import DatasetError
from streams.limits import LIMITS


class Row:
    """One dialogue; a field that is not as it must be is refused with its place."""

    def __init__(self, row: object, place: str) -> None:
        if not isinstance(row, dict):
            raise DatasetError(f"{place}: not a JSON object")
        self._row: dict[str, Any] = row
        self.place = place

    def _fail(self, name: str, expected: str) -> DatasetError:
        return DatasetError(f"{self.place}: {name} must be {expected}")

    def text(self, name: str, limit: int) -> str:
        value = self._row.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= limit or not _encodable(value):
            raise self._fail(name, f"a string of 1 to {limit} characters")
        return value

    def text_or_none(self, name: str, limit: int) -> str | None:
        return None if self._row.get(name) is None else self.text(name, limit)

    def integer(self, name: str, *, default: int) -> int:
        value = self._row.get(name)
        if value is None:
            return default
        if type(value) is not int or not 0 <= value < 2**63:
            raise self._fail(name, "an integer from 0 to 2^63-1")
        return value

    def texts_or_none(self, name: str) -> tuple[str, ...] | None:
        values = self._row.get(name)
        if values is None:
            return None
        if not isinstance(values, list) or not all(
            isinstance(value, str) and _encodable(value) for value in values
        ):
            raise self._fail(name, "a list of strings")
        return tuple(values)

    def turns(self) -> Iterator[tuple[Literal["user", "agent"], str]]:
        turns = self._row.get("turns", [])
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise self._fail("turns", "a list of {speaker, text}")
        for position, turn in enumerate(turns):
            speaker, text = turn.get("speaker"), turn.get("text", "")
            if speaker not in ("user", "agent"):
                raise self._fail(f"turns[{position}].speaker", '"user" or "agent"')
            if not isinstance(text, str) or len(text) > LIMITS.text_chars or not _encodable(text):
                raise self._fail(
                    f"turns[{position}].text", f"a string of at most {LIMITS.text_chars} characters"
                )
            yield speaker, text


def _encodable(text: str) -> bool:
    """False for a lone surrogate, which JSON can spell and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
