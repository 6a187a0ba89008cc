"""Registry: labelled examples, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest

from rule_store import digest
from rule_store.registry import Added, Registry
from rule_store.registry.limits import EXAMPLE_BYTES, EXAMPLE_LABELS
from rule_store.registry_errors import InvalidEntry, RegistryConflict
from tests.factories import NOW_MS
from tests.registries import example


def add(registry: Registry, *rows: object, domain: str = "shop") -> Added:
    return registry.add_examples(domain, rows, by="ann", at_ms=NOW_MS)  # type: ignore[arg-type]


def test_examples_come_back_by_id_as_they_were(registry: Registry) -> None:
    rows = [example("ä"), example("b", "退款\0", "refund"), example("B"), example("订单")]
    assert add(registry, *rows) == Added(new=4, known=0)
    names = [row.example_id for row in registry.examples("shop")]
    assert names == ["B", "b", "ä", "订单"], "by code point on both databases"
    assert set(registry.examples("shop")) == set(rows)
    assert list(registry.examples("bank")) == []


def test_examples_are_chosen_by_label_and_by_origin(registry: Registry) -> None:
    corrected = replace(example("c", "x", "refund"), origin="op-7")
    add(registry, example("a"), example("b", "x", "track", "refund"), corrected)
    assert [row.example_id for row in registry.examples("shop", label="refund")] == ["b", "c"]
    assert [row.example_id for row in registry.examples("shop", origin="op-7")] == ["c"]


def test_many_examples_are_added_and_read_in_chunks(registry: Registry) -> None:
    rows = (example(f"e{number:05}") for number in range(2500))
    assert registry.add_examples("shop", rows, by="ann", at_ms=NOW_MS) == Added(new=2500, known=0)
    read = [row.example_id for row in registry.examples("shop")]
    assert read == [f"e{number:05}" for number in range(2500)]
    assert [row.details["examples"] for row in registry.audit()] == [500, 1000, 1000]
    assert registry.verify_audit() == 3


def test_reading_on_while_examples_come_and_go_skips_none_that_stay(registry: Registry) -> None:
    add(registry, *(example(f"e{number:03}") for number in range(300)))
    reading = registry.examples("shop")
    first = next(reading)
    registry.remove_examples("shop", [first.example_id, "e299"], by="ann", at_ms=NOW_MS)
    assert [row.example_id for row in reading] == [f"e{number:03}" for number in range(1, 299)]


def test_the_same_example_again_changes_nothing(registry: Registry) -> None:
    add(registry, example("a"), example("b"))
    elsewhere = replace(example("a"), origin="copy.jsonl")
    assert add(registry, elsewhere, example("c"), example("c")) == Added(new=1, known=2)
    assert [row.origin for row in registry.examples("shop")] == ["train.jsonl"] * 3
    assert add(registry, example("a")) == Added(new=0, known=1)
    assert len(registry.audit()) == 2
    assert add(registry, example("a", "another text"), domain="bank").new == 1


def test_one_id_with_two_contents_is_a_conflict_that_names_both(registry: Registry) -> None:
    first = example("a", "where is it")
    add(registry, first)
    for other in (example("a", "where was it"), example("a", "where is it", "refund")):
        other = replace(other, origin="other.jsonl")
        with pytest.raises(RegistryConflict) as conflict:
            add(registry, example("b"), other)
        message = str(conflict.value)
        for part in ('"a"', '"other.jsonl"', '"train.jsonl"', digest(first.line)):
            assert part in message
        assert digest(other.line) in message
    with pytest.raises(RegistryConflict):
        add(registry, example("c", "one"), example("c", "two"))
    assert list(registry.examples("shop")) == [first], "nothing of a refused chunk stays"
    assert registry.verify_audit() == 1


def test_removed_examples_are_gone_and_counted(registry: Registry) -> None:
    add(registry, *(example(f"e{number:04}") for number in range(1500)))
    gone = [f"e{number:04}" for number in range(1, 1500)]
    assert registry.remove_examples("shop", [*gone, "nobody"], by="ann", at_ms=NOW_MS) == 1499
    assert [row.example_id for row in registry.examples("shop")] == ["e0000"]
    assert registry.remove_examples("shop", gone, by="ann", at_ms=NOW_MS) == 0
    assert registry.remove_examples("bank", ["e0000"], by="ann", at_ms=NOW_MS) == 0
    assert [row.what for row in registry.audit()] == ["examples removed"] * 2 + [
        "examples added"
    ] * 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"example_id": ""}, "0 characters"),
        ({"example_id": "x" * 257}, "257 characters"),
        ({"example_id": "a\0"}, "NUL"),
        ({"origin": ""}, "invalid origin"),
        ({"origin": "\ud800"}, "lone surrogate"),
        ({"labels": ()}, "has 0 labels"),
        ({"labels": ("a",) * (EXAMPLE_LABELS + 1)}, "has 17 labels"),
        ({"labels": ("",)}, "invalid label of example"),
        ({"line": b'{"a": 1}'}, "no canonical JSON"),
        ({"line": b'{"b":1,"a":1}'}, "no canonical JSON"),
        ({"line": b'{"a":1,"a":1}'}, "no canonical JSON"),
        ({"line": b'{"a":NaN}'}, "no canonical JSON"),
        ({"line": b'{"a":"\\ud800"}'}, "no canonical JSON"),
        ({"line": b"[]"}, "no canonical JSON"),
        ({"line": b"\xff"}, "no canonical JSON"),
        ({"line": b"[" * 100_000}, "no canonical JSON"),
        ({"line": b'"' + b"x" * EXAMPLE_BYTES + b'"'}, "are more than 1048576"),
    ],
)
def test_an_example_out_of_bounds_is_refused(
    registry: Registry, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidEntry, match=message):
        add(registry, replace(example("a"), **fields))  # type: ignore[arg-type]
    assert registry.audit() == ()


def test_an_example_as_long_as_may_be_is_kept(registry: Registry) -> None:
    line = b'{"a":"' + b"x" * (EXAMPLE_BYTES - 8) + b'"}'
    assert len(line) == EXAMPLE_BYTES
    add(registry, replace(example("a"), line=line))
    (row,) = registry.examples("shop")
    assert row.line == line


@pytest.mark.parametrize("domain", ["", "Shop", "a/b", "x" * 129])
def test_a_domain_that_cannot_be_is_refused(registry: Registry, domain: str) -> None:
    with pytest.raises(InvalidEntry, match="may hold only a-z"):
        add(registry, example("a"), domain=domain)
