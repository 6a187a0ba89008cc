"""Includes: concepts that say what other concepts say as well."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from rule_store.errors import InvalidLexicon, choice, shown

INCLUDED_PHRASES = 100_000
_SHOWN_NAMES = 12


Tell = Callable[[InvalidLexicon], None]
"""What becomes of a fault; where it returns, the include at fault is passed over."""


def refuse(fault: InvalidLexicon) -> None:
    raise fault


def with_included(
    phrases: Mapping[str, Iterable[str]],
    includes: Mapping[str, Iterable[str]],
    *,
    tell: Tell = refuse,
) -> dict[str, tuple[str, ...]]:
    """Give each concept the phrases of those it includes, and of those that they include.

    >>> with_included({"paid": ["paid"], "charged": ["charged"]}, {"charged": ["paid"]})
    {'paid': ('paid',), 'charged': ('charged', 'paid')}

    Raises:
        InvalidLexicon: an include that does not exist; a circle of them; too many phrases.
    """
    names = dict.fromkeys((*phrases, *includes))
    included = {name: tuple(dict.fromkeys(includes.get(name, ()))) for name in names}
    resolved: dict[str, tuple[str, ...]] = {}
    total = 0
    for name in _innermost_first(included, tell):
        own = dict.fromkeys(phrases.get(name, ()))
        for other in included[name]:
            own |= dict.fromkeys(resolved.get(other, ()))
        if included[name] and (total := total + len(own)) > INCLUDED_PHRASES:
            fault = f"brings the included phrases to more than {INCLUDED_PHRASES}; include less"
            tell(InvalidLexicon(name, fault))
            break
        resolved[name] = tuple(own)
    return {name: resolved.get(name, ()) for name in included}


def _innermost_first(included: Mapping[str, tuple[str, ...]], tell: Tell) -> Iterator[str]:
    """Walk the includes so that a concept comes after those it includes, each once."""
    done: set[str] = set()
    for root in included:
        # Concepts being looked into, outermost first, each with its includes still ahead.
        path = {root: iter(included[root])} if root not in done else {}
        while path:
            name, ahead = next(reversed(path.items()))
            inner = next((each for each in ahead if each not in done), None)
            if inner is None:
                del path[name]
                done.add(name)
                yield name
            elif fault := _include_fault(name, inner, path, included):
                tell(fault)
            else:
                path[inner] = iter(included[inner])


def _include_fault(
    name: str, inner: str, path: Collection[str], included: Mapping[str, tuple[str, ...]]
) -> InvalidLexicon | None:
    if inner not in included:
        fault = f"includes {shown(inner)}, which does not exist; {choice(inner, included)}"
        return InvalidLexicon(name, fault)
    if inner in path:
        names = list(path)
        circle = (*names[names.index(inner) :], inner)
        cut = circle if len(circle) <= _SHOWN_NAMES else (*circle[:_SHOWN_NAMES], "…")
        ring = " → ".join(map(shown, cut))
        return InvalidLexicon(inner, f"includes itself: {ring}; remove one of these includes")
    return None
