"""A release is put together from rules, reliabilities and held-out answers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from inference.bundle import Bundle, BundleTask, write_bundle
from inference.inputs import ModelInput
from rule_store import Evidence, Vote, canonical_bytes
from streams.building import (
    RuleSource,
    build_release,
    examples_digest,
    folder_rules,
    pack_rules,
)
from streams.errors import DatasetError, InvalidDomain, LabelMismatch
from streams.events import Question
from streams.fusion import FusionWeights
from streams.labelled import LabelledQuestion
from tests import factories as make

LABELS = {"intent": ("track", "refund", "other")}
DOMAIN = make.domain(labels=LABELS)
TRACK, REFUND, _ = DOMAIN.rule_sets["intent"].rules


def labelled(example_id: str, text: str, label: str) -> LabelledQuestion:
    return LabelledQuestion(
        example_id=example_id,
        question=Question(task="intent"),
        label=label,
        evidence=Evidence.of({"last": [text], "screen": []}),
        input=ModelInput(task="intent", texts={"last": text}),
    )


def bundle(
    folder: Path,
    answers: dict[str, list[float]],
    labels: tuple[str, ...] = (),
    scene: tuple[str, ...] = (),
) -> Bundle:
    """A bundle of which only the out-of-fold answers matter, all of intent."""
    rows = [
        {"example_id": example_id, "task": "intent", "fold": 0, "probabilities": probabilities}
        for example_id, probabilities in answers.items()
    ]
    named = {"intent": labels or LABELS["intent"]} | ({"scene": scene} if scene else {})
    tasks = {
        name: BundleTask(labels=names, graph="g.onnx", features="f.json", temperature=1.0)
        for name, names in named.items()
    }
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    return write_bundle(
        folder / "bundle",
        recipe="compact",
        tasks=tasks,
        files={"g.onnx": b"", "f.json": b"{}", "out_of_fold.jsonl": lines.encode()},
        facts={},
    )


# Without a bundle


def test_a_pack_alone_gives_assumed_reliabilities_and_documented_defaults() -> None:
    task = build_release(DOMAIN, pack_rules(DOMAIN)).tasks["intent"]
    assert {(known.value, known.fitted) for known in task.reliability.values()} == {(0.9, False)}
    assert (task.answer_at, task.fuse_at, task.vote_weight) == (0.85, 0.2, 0.3)
    assert task.defaults


def test_without_a_model_rules_the_pack_believes_in_less_answer_all_the_same() -> None:
    doubtful = replace(DOMAIN.tasks["intent"], assumed_reliability=0.7)
    domain = replace(DOMAIN, tasks={**DOMAIN.tasks, "intent": doubtful})
    release = build_release(domain, pack_rules(domain))
    assert release.tasks["intent"].answer_at == 0.7


def test_the_same_input_gives_the_same_bytes_and_names_no_examples() -> None:
    first, second = (build_release(DOMAIN, pack_rules(DOMAIN)) for _ in range(2))
    assert canonical_bytes(first) == canonical_bytes(second)
    assert (first.bundle, first.examples_digest, first.settings) == (None, None, {})


# Rules of a folder


def write_rules(folder: Path, **files: str) -> Path:
    for name, text in {"intent.rules": 'when last has "x" then track', **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_folders_rules_replace_those_of_the_tasks_it_holds(tmp_path: Path) -> None:
    two_tasks = make.domain()
    sources = folder_rules(write_rules(tmp_path), two_tasks)
    assert set(sources) == {"intent"}
    release = build_release(two_tasks, pack_rules(two_tasks) | sources)
    assert len(release.tasks["intent"].rules) == 1
    assert len(release.tasks["scene"].rules) == 2


def test_a_fitted_reliability_counts_and_the_others_are_assumed_and_marked(tmp_path: Path) -> None:
    text = 'when last has "x" then track\nwhen last has "y" then refund'
    (x, y) = folder_rules(write_rules(tmp_path, **{"intent.rules": text}), DOMAIN)[
        "intent"
    ].rule_set.rules
    fitted = {x.id: {"reliability": 0.7, "support": 9}, "stranger": {"reliability": 0.1}}
    write_rules(tmp_path, **{"intent.rules": text, "fitted.json": json.dumps(fitted)})
    task = build_release(DOMAIN, folder_rules(tmp_path, DOMAIN)).tasks["intent"]
    assert {rule: (known.value, known.fitted) for rule, known in task.reliability.items()} == {
        x.id: (0.7, True),
        y.id: (0.9, False),
    }


def test_out_of_fold_votes_are_read_by_example_for_their_task(tmp_path: Path) -> None:
    fired = [{"rule": "r1", "label": "track", "reliability": 0.9}]
    votes = [
        {"example_id": "e1", "task": "intent", "fold": 0, "rules": fired},
        {"example_id": "e2", "task": "scene", "fold": 0, "rules": fired},
    ]
    write_rules(tmp_path, **{"votes.jsonl": "\n".join(map(json.dumps, votes))})
    known = {"e1": (Vote(label="track", reliability=0.9),)}
    assert folder_rules(tmp_path, DOMAIN)["intent"].held_out == known


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDomain, match=r"expected intent\.rules"):
        folder_rules(tmp_path, DOMAIN)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[1]",
        '{"r": 1}',
        '{"r": {}}',
        '{"r": {"reliability": 1.1}}',
        '{"r": {"reliability": NaN}}',
    ],
)
def test_malformed_reliabilities_are_refused_with_their_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidDomain, match=r"fitted\.json"):
        folder_rules(write_rules(tmp_path, **{"fitted.json": text}), DOMAIN)


@pytest.mark.parametrize("line", [b"[", b"7", b"{}", b'{"task": "intent"}', b"\xff"])
def test_malformed_votes_are_refused_with_file_and_line(tmp_path: Path, line: bytes) -> None:
    write_rules(tmp_path)
    good = b'{"task": "intent", "example_id": "e1", "rules": []}\n'
    (tmp_path / "votes.jsonl").write_bytes(good + line)
    with pytest.raises(InvalidDomain, match=r"votes\.jsonl:2"):
        folder_rules(tmp_path, DOMAIN)


# With a bundle


EXAMPLES = (
    labelled("e1", "where is it", "track"),  # the rule is right, the model is not
    labelled("e2", "hello", "other"),
)
ANSWERS = {"e1": [0.3, 0.4, 0.3], "e2": [0.1, 0.1, 0.8]}


def test_weights_are_fitted_on_the_bundles_held_out_answers(tmp_path: Path) -> None:
    """The rule of odds 9 lifts 3:4 to 1:1 at λ = ln(4/3) / ln 9 = .13: the grid's .15 it is."""
    model = bundle(tmp_path, ANSWERS)
    release = build_release(
        DOMAIN, pack_rules(DOMAIN), bundle=model, labelled=EXAMPLES, settings={"view": "live"}
    )
    task = release.tasks["intent"]
    assert not task.defaults
    assert (task.vote_weight, task.answer_at) == (0.15, 0.9)
    assert release.bundle == model.digest
    assert release.examples_digest == examples_digest(EXAMPLES)
    assert release.settings == {"view": "live"}


def test_a_rule_does_not_vote_on_an_example_it_was_mined_from(tmp_path: Path) -> None:
    """Out of fold nothing fired on e1, so no λ helps and the smallest is taken."""
    source = RuleSource(rule_set=DOMAIN.rule_sets["intent"], held_out={"e1": ()})
    release = build_release(
        DOMAIN, {"intent": source}, bundle=bundle(tmp_path, ANSWERS), labelled=EXAMPLES
    )
    assert release.tasks["intent"].vote_weight == 0.0


def test_a_rule_that_only_a_fold_has_is_heard_where_it_was_mined_without_the_example(
    tmp_path: Path,
) -> None:
    """It lifts e1 as the rule of odds 9 does above, though no rule in use fires there."""
    fired = {"rule": "of a fold", "label": "track", "reliability": 0.9}
    vote = {"example_id": "e1", "task": "intent", "fold": 0, "rules": [fired]}
    folder = write_rules(tmp_path, **{"votes.jsonl": json.dumps(vote)})
    release = build_release(
        DOMAIN,
        folder_rules(folder, DOMAIN),
        bundle=bundle(tmp_path, ANSWERS),
        labelled=EXAMPLES,
    )
    task = release.tasks["intent"]
    assert (task.vote_weight, task.answer_at) == (0.15, 0.9)
    assert len(task.rules) == len(task.reliability) == 1


def test_other_examples_than_the_bundles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="the --examples"):
        build_release(
            DOMAIN,
            pack_rules(DOMAIN),
            bundle=bundle(tmp_path, {"e9": [0.2, 0.2, 0.6]}),
            labelled=EXAMPLES,
        )


@pytest.mark.parametrize("labels", [("refund", "track", "other"), ("a", "b", "c")])
def test_a_bundle_of_other_labels_is_refused(tmp_path: Path, labels: tuple[str, ...]) -> None:
    """As many labels in another order would fit the shapes and swap the answers."""
    with pytest.raises(LabelMismatch, match="other labels"):
        build_release(
            DOMAIN,
            pack_rules(DOMAIN),
            bundle=bundle(tmp_path, ANSWERS, labels),
            labelled=EXAMPLES,
        )


def test_the_examples_digest_depends_on_what_is_known_and_not_on_the_order() -> None:
    known = examples_digest(EXAMPLES)
    assert examples_digest(EXAMPLES[::-1]) == known
    assert examples_digest((EXAMPLES[0], labelled("e2", "hello", "track"))) != known
    assert examples_digest((EXAMPLES[0], labelled("e2", "hallo", "other"))) != known
    measured = replace(EXAMPLES[1].evidence, facts={"turns": 1})
    assert examples_digest((EXAMPLES[0], replace(EXAMPLES[1], evidence=measured))) != known


TWO_TASKS = make.domain(
    labels=LABELS | {"scene": ("cart", "receipt")}, rules={"intent": "", "scene": ""}
)


def test_a_task_without_an_example_takes_the_weights_that_are_kept_or_else_the_defaults(
    tmp_path: Path,
) -> None:
    model = bundle(tmp_path, ANSWERS, scene=("cart", "receipt"))
    kept = FusionWeights(answer_at=0.7, fuse_at=0.1, vote_weight=0.3)
    rules = pack_rules(TWO_TASKS)
    one, two = (
        build_release(TWO_TASKS, rules, bundle=model, labelled=EXAMPLES, kept=given)
        for given in ({"scene": kept}, {})
    )
    scene = one.tasks["scene"]
    assert (scene.answer_at, scene.fuse_at, scene.vote_weight) == (0.7, 0.1, 0.3)
    assert not scene.defaults
    assert two.tasks["scene"].defaults
    assert one.tasks["intent"] == two.tasks["intent"]


def test_a_bundle_without_any_example_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="for any example given"):
        build_release(DOMAIN, pack_rules(DOMAIN), bundle=bundle(tmp_path, ANSWERS))
