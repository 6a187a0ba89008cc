"""The samples of docs/writing-a-rule.md say what the guide says of them."""

import re
import tomllib
from pathlib import Path

import pytest

from rule_store import (
    CHANNELS,
    FACTS,
    Answered,
    Lexicon,
    RulesText,
    RulesTextRefused,
    evaluate,
    format_rules,
    read_rules,
    read_rules_text,
    settle,
)
from rule_store.grammar import KEYWORDS

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "writing-a-rule.md").read_text(encoding="utf-8")
PACK = ROOT / "deploy" / "domains" / "storefront"


def samples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def labels() -> list[str]:
    tasks = tomllib.loads((PACK / "domain.toml").read_text(encoding="utf-8"))["tasks"]
    return [label["name"] for label in tasks["intent"]["labels"]]


def lexicon() -> Lexicon:
    """The pack's concepts, and above them those of the guide's sample."""
    concepts = tomllib.loads((PACK / "lexicon.toml").read_text(encoding="utf-8"))["concepts"]
    (sample,) = samples("toml")
    concepts |= tomllib.loads(sample)["concepts"]
    tables = {name: each for name, each in concepts.items() if isinstance(each, dict)}
    return Lexicon.of(
        {name: tables[name]["phrases"] if name in tables else concepts[name] for name in concepts},
        includes={name: table["includes"] for name, table in tables.items()},
    )


def read(sample: str) -> RulesText:
    return read_rules_text(sample, task="intent", labels=labels(), lexicon=lexicon())


def test_the_guide_has_samples_with_rules_and_examples() -> None:
    found = [read(sample) for sample in samples("rules")]
    assert sum(len(each.rule_set.rules) for each in found) == 6
    assert sum(len(each.examples) for each in found) == 6


@pytest.mark.parametrize("sample", samples("rules"))
def test_a_sample_is_laid_out_as_the_formatter_does_it(sample: str) -> None:
    assert format_rules(sample) == sample


@pytest.mark.parametrize("sample", samples("rules"))
def test_the_examples_of_a_sample_hold(sample: str) -> None:
    rules_text = read(sample)
    sure = {rule.id: 1.0 for rule in rules_text.rule_set.rules}
    for example in rules_text.examples:
        evaluation = evaluate(rules_text.rule_set, example.evidence(), lexicon())
        verdict = settle(evaluation, reliability=sure, answer_at=0.5)
        assert (verdict.label if isinstance(verdict, Answered) else None) == example.label


def test_the_refusal_in_the_guide_is_what_the_reader_says() -> None:
    text = "when last mentions damaged  then track_ordr\nwhen last has “parcel” then track_order"
    with pytest.raises(RulesTextRefused) as refusal:
        read_rules(text, task="intent", labels=labels(), origin="rules/intent.rules")
    printed = [str(error) for error in refusal.value.errors]
    quoted = re.findall(r"^rules/intent\.rules:.*", GUIDE, re.MULTILINE)
    assert len(quoted) == 2
    for line, shown in zip(printed, quoted, strict=True):
        assert line.startswith(shown.removesuffix("…"))


@pytest.mark.parametrize("word", [*KEYWORDS, *CHANNELS, *FACTS])
def test_every_word_of_the_language_is_explained(word: str) -> None:
    assert f"`{word}`" in GUIDE
