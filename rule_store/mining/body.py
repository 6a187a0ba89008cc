"""Body: the conjunction of literals that a search builds, as numbers of a table's predicates."""

from __future__ import annotations

from collections.abc import Sequence

from rule_store.predicates import Predicate
from rule_store.rules import Literal, canonical_body

Body = frozenset[int]
"""Codes of literals: a set, so that the order in which they were added decides nothing."""


def code(predicate: int, negated: bool = False) -> int:
    """Number the literal of a predicate, given as its position in the table.

    >>> code(3), code(3, negated=True)
    (6, 7)
    """
    return 2 * predicate + negated


def predicate_of(code: int) -> int:
    """Position of the literal's predicate in the table.

    >>> predicate_of(6), predicate_of(7)
    (3, 3)
    """
    return code >> 1


def is_negated(code: int) -> bool:
    """Whether the literal is a negated predicate.

    >>> is_negated(6), is_negated(7)
    (False, True)
    """
    return bool(code & 1)


def literals_of(body: Body, predicates: Sequence[Predicate]) -> tuple[Literal, ...]:
    """Give the literals that the codes stand for, in the order in which a release keeps them."""
    return canonical_body(
        tuple(
            Literal(predicate=predicates[predicate_of(each)], negated=is_negated(each))
            for each in sorted(body)
        )
    )
