"""Names in a message: the first of many, and what an unknown one could have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from rule_store.errors import shown

_FEW = 5
_CHOICES = 12


def first(names: Sequence[str], most: int = _FEW) -> str:
    """The first of the names, and how many more there are.

    >>> first(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def one_of(known: Iterable[str]) -> str:
    """What there is to choose from."""
    return first([shown(each) for each in known], _CHOICES)


def meant(name: str, known: Iterable[str]) -> str:
    """An unknown name, and the known one that is most like it, if any is.

    >>> meant("trak", ["track", "refund"])
    '"trak" (did you mean "track"?)'
    """
    near = get_close_matches(name, list(known), n=1)
    return f"{shown(name)} (did you mean {shown(near[0])}?)" if near else shown(name)
