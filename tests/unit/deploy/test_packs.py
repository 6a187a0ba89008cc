"""The packs that ship are well formed and say what their businesses need."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.main import app
from streams.domain import load_domain
from streams.rule_files import read_rules_files

DOMAINS = Path(__file__).parents[3] / "deploy" / "domains"
PACKS = ("storefront", "taobao", "clinc150")


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_loads_by_name_and_by_folder(name: str) -> None:
    assert load_domain(name) == load_domain(DOMAINS / name)


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("file", ["domain.toml", "lexicon.toml"])
def test_its_toml_parses(name: str, file: str) -> None:
    with (DOMAINS / name / file).open("rb") as stream:
        assert tomllib.load(stream)


@pytest.mark.parametrize("name", PACKS)
def test_labels_are_unique_and_described(name: str) -> None:
    for task in load_domain(name).tasks.values():
        assert len(task.label_names) == len(set(task.label_names))
        assert all(label.description for label in task.labels)


@pytest.mark.parametrize("name", PACKS)
def test_every_task_has_rules_for_its_own_labels(name: str) -> None:
    domain = load_domain(name)
    for task in domain.tasks.values():
        labels = {rule.label for rule in domain.rule_sets[task.name].rules}
        assert labels <= set(task.label_names)
        assert len(labels) > len(task.labels) / 2


@pytest.mark.parametrize("name", PACKS)
def test_every_concept_is_used_by_a_rule(name: str) -> None:
    rules = "".join(path.read_text(encoding="utf-8") for path in (DOMAINS / name).glob("*.rules"))
    with (DOMAINS / name / "lexicon.toml").open("rb") as stream:
        concepts = tomllib.load(stream)["concepts"]
    unused = [name for name in concepts if name not in rules]
    assert unused == []


@pytest.mark.parametrize("name", PACKS)
def test_its_phrases_are_phrases_and_no_sentences_of_customers(name: str) -> None:
    concepts = load_domain(name).lexicon.concepts
    assert [phrase for phrases in concepts.values() for phrase in phrases if len(phrase) > 40] == []


def test_no_taobao_intent_waits_for_a_screenshot() -> None:
    rules = load_domain("taobao").rule_sets["intent"].rules
    read = {str(literal.predicate) for rule in rules for literal in rule.body}
    assert [each for each in read if "screen" in each or "images" in each] == []


def test_taobao_says_what_customers_talk_of_in_many_ways() -> None:
    concepts = load_domain("taobao").lexicon.concepts
    topics = ("漏", "症状", "材质", "功能", "季节", "推荐", "用法", "规格", "养护", "补货")
    assert [topic for topic in topics if len(concepts[topic]) < 100] == []


@pytest.mark.parametrize("name", PACKS)
def test_lint_has_nothing_to_warn_of(name: str) -> None:
    result = CliRunner().invoke(app, ["rules", "lint", "--strict", "--domain", name])
    assert result.exit_code == 0, result.output
    assert ": 0 errors, 0 warnings" in result.stderr


@pytest.mark.parametrize("name", PACKS)
def test_its_rules_are_laid_out_and_meet_their_examples(name: str) -> None:
    for command in (["format", "--check", str(DOMAINS / name)], ["test", "--domain", name]):
        result = CliRunner().invoke(app, ["rules", *command])
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", PACKS)
def test_every_label_has_examples(name: str) -> None:
    for file in read_rules_files([DOMAINS / name], load_domain(name)):
        given = Counter(example.label for example in file.read.examples)
        assert [label for label in file.task.label_names if given[label] < 2] == []


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("storefront", {"intent": 8, "scene": 6}),
        ("taobao", {"intent": 23, "scene": 25}),
        ("clinc150", {"intent": 150}),
    ],
)
def test_label_spaces_have_the_agreed_size(name: str, sizes: dict[str, int]) -> None:
    tasks = load_domain(name).tasks
    assert {task: len(tasks[task].labels) for task in tasks} == sizes


def test_out_of_scope_is_no_label_of_clinc150() -> None:
    assert "oos" not in load_domain("clinc150").tasks["intent"].label_names


@pytest.mark.parametrize(
    ("name", "label"),
    [("storefront", "complaint"), ("taobao", "反馈用后症状"), ("clinc150", "report_fraud")],
)
def test_what_hurts_a_customer_raises_an_alert(name: str, label: str) -> None:
    watched = {each for policy in load_domain(name).alert_policies for each in policy.labels}
    assert label in watched
