"""Errors: one base, and messages that stay short and printable."""

import inspect

import rule_store
from rule_store import RuleStoreError, UnknownConcept, errors
from rule_store.errors import part, shown


def test_all_errors_have_one_base_and_stand_in_the_tree() -> None:
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, Exception) and not name.startswith("_"):
            assert issubclass(error, RuleStoreError)
            assert name in (errors.__doc__ or "")
            assert getattr(rule_store, name) is error


def test_a_text_of_unknown_origin_is_escaped_and_cut() -> None:
    assert shown("支付") == '"支付"'
    assert shown("a\x1b\ud800") == r'"a\x1b\ud800"'
    assert len(shown("x" * 1000)) == 63
    assert part("intent") == "intent"
    assert part("a\n") == r'"a\n"'


def test_long_lists_of_known_names_are_cut() -> None:
    message = str(UnknownConcept("x" * 10_000, known=[f"concept {i}" for i in range(1000)]))
    assert len(message) < 500
    assert message.endswith("…")


def test_the_public_surface_is_named() -> None:
    assert sorted(rule_store.__all__) == sorted(set(rule_store.__all__))
    for name in rule_store.__all__:
        assert hasattr(rule_store, name)
