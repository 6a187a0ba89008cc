from hypothesis import given
from hypothesis import strategies as st

from rule_store import Literal
from rule_store.mining.body import code, is_negated, literals_of, predicate_of
from tests.rules import has, no


@given(predicate=st.integers(0, 10**6), negated=st.booleans())
def test_a_code_gives_back_what_it_was_made_of(predicate: int, negated: bool) -> None:
    literal = code(predicate, negated)

    assert (predicate_of(literal), is_negated(literal)) == (predicate, negated)


def test_a_body_is_written_as_a_release_keeps_it() -> None:
    predicates = (has("refund"), has("broken"))

    body = literals_of(frozenset({code(0), code(1, negated=True)}), predicates)

    assert body == (no(has("broken")), Literal(predicate=has("refund")))
