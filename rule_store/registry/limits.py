"""What the registry takes: bounds, and checks of values from outside."""

from __future__ import annotations

from rule_store.lexicon import NAME_CHARS, is_text
from rule_store.registry_errors import InvalidEntry

NOTE_CHARS = 2000
ORIGIN_CHARS = 1000
EXAMPLE_ID_CHARS = 256
EXAMPLE_BYTES = 1024 * 1024
EXAMPLE_LABELS = 16
ROWS = 1000
_INTEGER_MAX = 2**53


def check_text(where: str, text: str, *, chars: int = NAME_CHARS) -> None:
    """Refuse a text that is empty, too long, or that a database cannot hold.

    PostgreSQL holds no NUL character, and neither encodes a lone surrogate.

    Raises:
        InvalidEntry: names `where`.
    """
    if not 0 < len(text) <= chars:
        raise InvalidEntry(where, f"has {len(text)} characters; give 1 to {chars}")
    if "\0" in text or not is_text(text):
        raise InvalidEntry(where, "holds a NUL or a lone surrogate; write real characters")


def check_number(where: str, number: int, *, least: int = 0, most: int = _INTEGER_MAX) -> None:
    """Refuse a number out of its range.

    Raises:
        InvalidEntry: names `where`.
    """
    if not least <= number <= most:
        raise InvalidEntry(where, f"{number} is not between {least} and {most}")


def check_page(limit: int, before: int | None) -> None:
    """Refuse to list more than `ROWS` at once, or before a row that cannot be.

    Raises:
        InvalidEntry: names which of the two.
    """
    check_number("limit", limit, least=1, most=ROWS)
    if before is not None:
        check_number("before", before)
