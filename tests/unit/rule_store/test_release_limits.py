"""How much a release may hold: looked at in its bytes, before anything is made of them."""

import json

import pytest

from rule_store import InvalidActivation, InvalidRelease, activation_from_bytes, read_release
from rule_store import release as release_module
from rule_store.canonical import CONTAINERS, VALUES
from rule_store.release import PHRASES, RULES, TASKS
from streams.building import build_release, pack_rules
from tests import factories as make


def refusal(content: bytes) -> InvalidRelease:
    with pytest.raises(InvalidRelease) as caught:
        read_release(content)
    return caught.value


def content(**fields: object) -> bytes:
    empty: dict[str, object] = {"schema": "1.0", "tasks": {}, "lexicon": {}, "settings": {}}
    return json.dumps({**empty, **fields}).encode()


def test_more_lists_and_objects_than_allowed_are_refused_before_parsing() -> None:
    """The bytes are no JSON, which nobody finds out."""
    for bracket in (b"[", b"{"):
        assert f"more than the {CONTAINERS} allowed" in str(refusal(bracket * (CONTAINERS + 1)))


def test_more_values_than_allowed_are_refused_before_parsing() -> None:
    assert f"more than the {VALUES} allowed" in str(refusal(b"," * (VALUES + 1)))


def test_deep_nesting_is_refused() -> None:
    assert "nested too deeply" in str(refusal(b'{"schema":' + b"[" * 100_000))


def test_an_activation_is_counted_and_nested_likewise() -> None:
    with pytest.raises(InvalidActivation, match="nested too deeply"):
        activation_from_bytes(b"[" * 50_000)


def test_more_rules_than_allowed_are_refused_before_one_is_read() -> None:
    tasks = {"one": {"rules": [0] * RULES}, "two": {"rules": [0]}}
    refused = refusal(content(tasks=tasks))
    assert refused.where == "tasks"
    assert refused.fault.startswith(f"{RULES + 1} rules")


def test_more_phrases_than_allowed_are_refused_before_one_is_folded() -> None:
    refused = refusal(content(lexicon={"one": ["x"] * PHRASES, "two": ["y"]}))
    assert refused.where == "lexicon"
    assert refused.fault.startswith(f"{PHRASES + 1} phrases")


def test_more_tasks_than_allowed_are_refused_before_one_is_read() -> None:
    refused = refusal(content(tasks={f"task {n}": {} for n in range(TASKS + 1)}))
    assert refused.fault.startswith(f"{TASKS + 1} tasks")


@pytest.mark.parametrize(("limit", "noun"), [("RULES", "rules"), ("PHRASES", "phrases")])
def test_what_could_not_be_read_back_is_not_built(
    limit: str, noun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = make.domain()
    sources = pack_rules(domain)
    build_release(domain, sources)
    monkeypatch.setattr(release_module, limit, 1)
    with pytest.raises(InvalidRelease, match=noun):
        build_release(domain, sources)
