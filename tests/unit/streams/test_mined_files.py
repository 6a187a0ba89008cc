"""What was mined, as a folder from which a release is built."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rule_store import format_rules, read_rules
from rule_store.folds import fold
from streams.building import build_release, folder_rules
from streams.errors import InvalidSettings
from streams.mined_files import rules_text, untaught_text, write_mined
from streams.rule_files import read_fitted_on
from streams.untaught import without_labels
from tests import factories as make
from tests.mined import DOMAIN, LABELS, examples, mined_task, unlabelled
from tests.rules import has, rule

WRITTEN = replace(rule(has("hello"), has("there"), label="other"), note="polite people")
MINED = mined_task(written=[WRITTEN])


def test_rules_are_in_lay_out_and_say_how_they_did() -> None:
    text = rules_text(MINED)
    assert format_rules(text) == text
    lines = text.splitlines()
    assert lines[0] == "# Mined from 36 examples, the pack's own rules first."
    assert lines[2].startswith('when last has "hello" and last has "there" then other')
    assert lines[2].endswith('note "polite people"')
    known = next(
        known
        for rule_id, known in MINED.mined.chosen.reliability.items()
        if rule_id == rule(has("where")).id
    )
    assert (
        'when last has "where" then track\n'
        f'  note "covers 12; right in {known.value:.2f} of new cases '
        f'({known.low:.2f} to {known.high:.2f})"'
    ) in text.replace("then track note", "then track\n  note")


def test_one_example_is_counted_as_one() -> None:
    assert rules_text(mined_task(examples(1)[:1])).startswith("# Mined from 1 example, the ")
    told = replace(UNTAUGHT.estimates, examples=1)
    assert untaught_text(replace(UNTAUGHT, estimates=told)).startswith(
        "# From 1 example without labels: "
    )


def test_rules_and_reliabilities_are_read_as_they_were_mined(tmp_path: Path) -> None:
    write_mined([MINED], tmp_path)
    source = folder_rules(tmp_path, DOMAIN)["intent"]
    chosen = MINED.mined.chosen
    assert [each.id for each in source.rule_set.rules] == [each.id for each in chosen.rules]
    assert source.fitted == chosen.values()
    release = build_release(DOMAIN, {"intent": source})
    assert all(each.fitted for each in release.tasks["intent"].reliability.values())


def test_a_rule_knows_the_examples_it_was_mined_from(tmp_path: Path) -> None:
    write_mined([MINED], tmp_path)
    fitted_on = read_fitted_on(tmp_path / "fitted.json")
    tracked = {each.example_id for each in examples(12) if each.label == "track"}
    assert fitted_on[rule(has("where")).id] == tracked
    assert fitted_on[WRITTEN.id] == frozenset()
    row = json.loads((tmp_path / "fitted.json").read_text())[rule(has("where")).id]
    assert (row["task"], row["support"]) == ("intent", 12)
    assert row["low"] < row["reliability"] < row["high"]


def test_of_every_example_the_rules_vote_that_were_mined_without_its_fold(tmp_path: Path) -> None:
    write_mined([MINED], tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "votes.jsonl").read_text().splitlines()]
    mined_from = MINED.given.examples
    assert [each["example_id"] for each in lines] == [each.example_id for each in mined_from]
    for line, given in zip(lines, mined_from, strict=True):
        assert (line["task"], line["fold"]) == ("intent", fold(given.example_id, folds=2))
        judged = MINED.mined.by_fold[line["fold"]]
        assert [each["label"] for each in line["rules"]] == [given.label]
        assert line["rules"][0]["reliability"] == judged.values()[line["rules"][0]["rule"]]


def test_what_other_tasks_have_in_the_folder_stays(tmp_path: Path) -> None:
    row = {"task": "scene", "reliability": 0.5}
    vote = '{"example_id": "e1", "task": "scene", "fold": 0, "rules": []}'
    (tmp_path / "fitted.json").write_text(json.dumps({"s1": row, "i1": {"task": "intent"}}))
    (tmp_path / "votes.jsonl").write_text(f"{vote}\n")
    write_mined([MINED], tmp_path)
    fitted = json.loads((tmp_path / "fitted.json").read_text())
    assert fitted["s1"] == row
    assert "i1" not in fitted
    assert (tmp_path / "votes.jsonl").read_text().splitlines()[0] == vote


@pytest.mark.parametrize("name", ["fitted.json", "votes.jsonl"])
def test_a_file_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"a": 1}')
    with pytest.raises(InvalidSettings, match=r"not what `kdsl rules mine` writes: remove it"):
        write_mined([MINED], tmp_path)


def test_the_same_again_is_the_same_bytes(tmp_path: Path) -> None:
    write_mined([MINED], tmp_path)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    write_mined([mined_task(written=[WRITTEN])], tmp_path)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
    assert sorted(before) == [".written.json", "fitted.json", "intent.rules", "votes.jsonl"]


def test_the_moments_of_a_dialogue_are_named_with_it(tmp_path: Path) -> None:
    moments = [
        replace(each, dialogue_id=f"of {place // 6}") for place, each in enumerate(examples(12))
    ]
    write_mined([mined_task(moments)], tmp_path)
    row = json.loads((tmp_path / "fitted.json").read_text())[rule(has("where")).id]
    assert row["dialogue_ids"] == [f"of {number}" for number in (0, 2, 3, 4, 5, 1)]
    assert len(row["example_ids"]) == 12
    known = read_fitted_on(tmp_path / "fitted.json")[rule(has("where")).id]
    assert known == {*row["example_ids"], *row["dialogue_ids"]}
    write_mined([MINED], tmp_path)
    row = json.loads((tmp_path / "fitted.json").read_text())[rule(has("where")).id]
    assert "dialogue_ids" not in row


def test_printed_rules_are_read_as_they_are() -> None:
    read = read_rules(rules_text(MINED), task="intent", labels=LABELS)
    assert [each.id for each in read.rules] == [each.id for each in MINED.mined.chosen.rules]


REFUNDS = replace(DOMAIN, lexicon=make.domain().lexicon)
UNTAUGHT = without_labels(
    DOMAIN.tasks["intent"], REFUNDS, unlabelled("refund", "refund other", "hello")
)


def test_without_labels_notes_say_what_is_assumed_and_what_agreement_suggests() -> None:
    """Each of the two rules fires at `refund other`, against the other."""
    text = untaught_text(UNTAUGHT)
    assert format_rules(text) == text
    known = [each.accuracy for each in UNTAUGHT.estimates.rules.values()]
    assert text == (
        "# From 3 examples without labels: the pack's own rules first, then what descriptions "
        "give. Their reliability is assumed.\n\n"
        "when last mentions refund\n  then refund\n"
        '  note "from the description; fires at 2 of 3, 1 of them against another label; '
        f'agreement suggests {known[0]:.2f}, assumed all the same"\n'
        'when last has "other"\n  then other\n'
        '  note "from the description; fires at 1 of 3, 1 of them against another label; '
        f'agreement suggests {known[1]:.2f}, assumed all the same"\n'
    )


def test_rules_without_labels_are_released_with_an_assumed_reliability(tmp_path: Path) -> None:
    write_mined([UNTAUGHT], tmp_path)
    assert sorted(each.name for each in tmp_path.glob("[!.]*")) == ["fitted.json", "intent.rules"]
    source = folder_rules(tmp_path, REFUNDS)["intent"]
    assert source.held_out is None
    release = build_release(REFUNDS, {"intent": source})
    known = release.tasks["intent"].reliability
    assert {rule.id for rule in UNTAUGHT.rules} == set(known)
    assert {(each.value, each.fitted) for each in known.values()} == {(0.9, False)}


def test_what_was_fitted_before_is_forgotten_when_nothing_is_labelled(tmp_path: Path) -> None:
    write_mined([MINED], tmp_path)
    write_mined([UNTAUGHT], tmp_path)
    assert json.loads((tmp_path / "fitted.json").read_text()) == {}
    assert not (tmp_path / "votes.jsonl").exists()


def test_a_rule_of_a_description_is_noted_and_fitted_on_no_example(tmp_path: Path) -> None:
    mined = mined_task(domain=REFUNDS)
    (described,) = mined.described
    write_mined([mined], tmp_path)
    assert 'note "from the description; covers 0; right in ' in rules_text(mined)
    assert read_fitted_on(tmp_path / "fitted.json")[described] == frozenset()
