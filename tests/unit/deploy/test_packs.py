"""The packs that ship are well formed and say what their businesses need."""

import tomllib
from pathlib import Path

import pytest

from streams.domain import load_domain

DOMAINS = Path(__file__).parents[3] / "deploy" / "domains"
PACKS = ("storefront", "taobao")


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


@pytest.mark.parametrize(("name", "intents", "scenes"), [("storefront", 8, 6), ("taobao", 23, 25)])
def test_label_spaces_have_the_agreed_size(name: str, intents: int, scenes: int) -> None:
    tasks = load_domain(name).tasks
    assert (len(tasks["intent"].labels), len(tasks["scene"].labels)) == (intents, scenes)


@pytest.mark.parametrize(
    ("name", "label"), [("storefront", "complaint"), ("taobao", "反馈用后症状")]
)
def test_what_hurts_a_customer_raises_an_alert(name: str, label: str) -> None:
    watched = {each for policy in load_domain(name).alert_policies for each in policy.labels}
    assert label in watched
