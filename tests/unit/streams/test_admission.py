"""What two releases say of the admission split."""

import json
from dataclasses import replace
from pathlib import Path

from inference.bundle import BundleTask, write_bundle
from inference.inputs import LabelScores, ModelInput
from rule_store import Vote, canonical_bytes, digest, read_rules
from rule_store.folds import is_admission
from rule_store.mining.compared import GateAnswer
from streams.active_release import ActiveRelease
from streams.admission import Split, compare, held_out_probabilities
from streams.building import RuleSource, build_release
from tests.refreshes import DOMAIN, REFUND, TRACK, question, questions

LABELS = DOMAIN.labels["intent"]
MODEL = {"track": 0.2, "refund": 0.7, "other": 0.1}


def release(text: str, *, bundle: str | None = None) -> ActiveRelease:
    """Rules of reliability 0.9."""
    rules = read_rules(text, task="intent", labels=DOMAIN.labels["intent"], lexicon=DOMAIN.lexicon)
    fitted = {rule.id: 0.9 for rule in rules.rules}
    sources = {"intent": RuleSource(rule_set=rules, fitted=fitted)}
    built = replace(build_release(DOMAIN, sources), bundle=bundle)
    return ActiveRelease.of(built, digest=digest(canonical_bytes(built)), domain=DOMAIN)


def test_one_in_ten_is_kept_for_the_gate_by_its_id_alone() -> None:
    split = Split.of(questions(100))
    assert [each.example_id for each in split.admission] == [
        f"d{number}" for number in range(100) if is_admission(f"d{number}")
    ]
    assert len(split.learn) + len(split.admission) == 100


def test_each_release_answers_by_its_own_rules() -> None:
    (compared,) = compare(
        [question("d1", "refund")],
        candidate=release(TRACK + REFUND),
        active=release(TRACK),
        bundle=None,
        probabilities=None,
    )
    said = (Vote(label="refund", reliability=0.9),)
    assert compared.candidate == GateAnswer(label="refund", votes=said)
    assert compared.active == GateAnswer(label=None)


def test_the_gate_is_told_which_moments_are_of_one_dialogue() -> None:
    moments = [replace(question(f"d1@{n}", "track"), dialogue_id="d1") for n in range(2)]
    compared = compare(
        moments, candidate=release(TRACK), active=None, bundle=None, probabilities=None
    )
    assert [(each.example_id, each.dialogue_id) for each in compared] == [
        ("d1@0", "d1"),
        ("d1@1", "d1"),
    ]


def test_without_a_model_votes_decide_between_rules_that_disagree() -> None:
    """For the rule that comes first, when both are believed alike; the gate sees both votes."""
    (compared,) = compare(
        [question("d1", "track")],
        candidate=release('when last has "it" then refund\n' + TRACK),
        active=None,
        bundle=None,
        probabilities=None,
    )
    assert compared.candidate == GateAnswer(
        label="refund",
        votes=(Vote(label="refund", reliability=0.9), Vote(label="track", reliability=0.9)),
    )


def test_with_nothing_in_force_there_is_nothing_to_compare_with() -> None:
    (compared,) = compare(
        [question("d1", "track")],
        candidate=release(TRACK),
        active=None,
        bundle=None,
        probabilities=None,
    )
    assert compared.active is None


def test_the_model_answers_what_rules_do_not() -> None:
    compared = compare(
        [question("d1", "refund"), question("d2", "track")],
        candidate=release(TRACK, bundle="sha256:m"),
        active=None,
        bundle="sha256:m",
        probabilities=[MODEL, MODEL],
    )
    asked, settled = (each.candidate for each in compared)
    assert asked == GateAnswer(label="refund")
    assert settled == GateAnswer(label="track", votes=(Vote(label="track", reliability=0.9),))


def test_a_model_is_asked_only_of_what_it_did_not_learn(tmp_path: Path) -> None:
    row = {"example_id": "d1", "task": "intent", "fold": 0, "probabilities": [0.6, 0.3, 0.1]}
    task = BundleTask(labels=LABELS, graph="g.onnx", features="f.json", temperature=1.0)
    bundle = write_bundle(
        tmp_path / "bundle",
        recipe="compact",
        tasks={"intent": task},
        files={"g.onnx": b"", "f.json": b"{}", "out_of_fold.jsonl": json.dumps(row).encode()},
        facts={},
    )
    asked: list[ModelInput] = []

    def ask(given: ModelInput) -> LabelScores:
        asked.append(given)
        return LabelScores(labels=LABELS, probabilities=(0.1, 0.8, 0.1))

    learned, new = question("d1", "track"), question("d2", "refund")
    assert held_out_probabilities(bundle, ask, [learned, new]) == [
        {"track": 0.6, "refund": 0.3, "other": 0.1},
        {"track": 0.1, "refund": 0.8, "other": 0.1},
    ]
    assert asked == [new.input]
