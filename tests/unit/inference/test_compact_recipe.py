"""Training gives a bundle that knows its examples, the same one each time."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.bundle import Bundle, load_bundle
from inference.classifier import Classifier
from inference.compact import train
from inference.compact.fitting import Linear, to_onnx
from inference.errors import TrainingRefused
from inference.folds import fold
from inference.inputs import ModelInput, TaskSpec, TrainingExample
from inference.session import open_session
from tests.unit.inference.shop import (
    CONCEPTS,
    INTENT,
    SCENE,
    intent_examples,
    said,
    scene_examples,
    shown,
)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_examples_give_the_same_bytes(bundle: Bundle, tmp_path: Path) -> None:
    again = train((INTENT, SCENE), intent_examples() + scene_examples(), CONCEPTS, tmp_path / "b")
    assert again.digest == bundle.digest
    assert digests(again.path) == digests(bundle.path)


def test_each_example_is_scored_by_a_model_that_did_not_learn_from_it(bundle: Bundle) -> None:
    rows = bundle.out_of_fold()
    examples = intent_examples() + scene_examples()
    assert [(row.task, row.example_id) for row in rows] == [
        (example.input.task, example.example_id) for example in examples
    ]
    assert all(row.fold == fold(row.example_id, seed=0) for row in rows)
    assert [sum(row.probabilities) for row in rows] == pytest.approx([1.0] * len(rows), abs=1e-6)
    right = [
        bundle.labels(row.task)[int(np.argmax(row.probabilities))] == example.label
        for row, example in zip(rows, examples, strict=True)
    ]
    assert sum(right) >= 0.9 * len(right)


def test_examples_of_one_dialogue_are_held_out_together(tmp_path: Path) -> None:
    """Else its random label would be learned from the same dialogue a moment before."""
    toss = np.random.Generator(np.random.PCG64(0))
    labels = toss.permutation(INTENT.labels[:2] * 20).tolist()
    names = ["".join(toss.choice(list("abcdefghijklmnopqrstuvwxyz"), 9)) for _ in labels]
    examples = [
        TrainingExample(
            example_id=f"d{number}-{moment}",
            dialogue_id=f"d{number}",
            input=said(f"ticket {names[number]}"),
            label=label,
        )
        for number, label in enumerate(labels)
        for moment in range(3)
    ]
    together = train((INTENT,), examples, {}, tmp_path / "together")
    rows = together.out_of_fold()
    assert [row.example_id for row in rows] == [each.example_id for each in examples]
    assert [row.fold for row in rows] == [fold(each.dialogue_id) for each in examples]
    alone = [replace(each, dialogue_id=each.example_id) for each in examples]
    apart = train((INTENT,), alone, {}, tmp_path / "apart")
    assert accuracy(together, examples) < 0.6
    assert accuracy(apart, examples) > 0.9


def accuracy(bundle: Bundle, examples: list[TrainingExample]) -> float:
    right = [
        bundle.labels(row.task)[int(np.argmax(row.probabilities))] == example.label
        for row, example in zip(bundle.out_of_fold(), examples, strict=True)
    ]
    return sum(right) / len(right)


def test_one_dialogue_alone_is_enough_to_train(tmp_path: Path) -> None:
    examples = [replace(each, dialogue_id="d1") for each in intent_examples()]
    bundle = train((INTENT,), examples, {}, tmp_path / "b")
    assert len({row.fold for row in bundle.out_of_fold()}) == 1


def test_an_example_not_seen_before_gets_its_label(bundle: Bundle) -> None:
    classifier = Classifier.open(bundle.path)
    asked = (said("where is the package"), said("i want a refund"), shown("Pay now", "Total 99"))
    best = [scores.best()[0][0] for scores in classifier.score_batch(asked)]
    assert best == ["track_order", "refund", "payment"]


def test_a_label_without_examples_is_unlikely_but_possible(bundle: Bundle) -> None:
    scores = Classifier.open(bundle.path).score_batch([shown("Pay now"), shown(bright=70)])
    assert all(0 < each.probabilities[2] < min(0.2, max(each.probabilities)) for each in scores)


def test_what_is_written_about_a_label_is_learnt(tmp_path: Path) -> None:
    """No example says `ombudsman`, only the description of a label without examples does."""
    described = TaskSpec(
        name="intent",
        labels=(*INTENT.labels, "escalation"),
        descriptions={"escalation": "ombudsman, lawyer, consumer protection"},
    )
    bundle = train((described,), intent_examples(), {}, tmp_path / "b")
    usual, odd = Classifier.open(bundle.path).score_batch(
        [said("where is my order"), said("consumer protection ombudsman lawyer")]
    )
    assert odd.probabilities[3] > 3 * usual.probabilities[3]


def test_progress_is_told_by_task(tmp_path: Path) -> None:
    said_so: list[str] = []
    train((INTENT,), intent_examples(), {}, tmp_path / "b", progress=said_so.append)
    assert said_so
    assert all(sentence.startswith("intent: ") for sentence in said_so)


@pytest.mark.parametrize("kept", [2, 3, 7])
def test_few_examples_are_enough_to_train(tmp_path: Path, kept: int) -> None:
    examples = intent_examples()[::9][:kept]
    bundle = train((INTENT,), examples, {}, tmp_path / "b")
    (scores,) = Classifier.open(bundle.path).score_batch([said("where is it")])
    assert sum(scores.probabilities) == pytest.approx(1.0)


def test_examples_of_one_label_give_that_label(tmp_path: Path) -> None:
    bundle = train((INTENT,), intent_examples()[:6], {}, tmp_path / "b")
    (scores,) = Classifier.open(bundle.path).score_batch([said("anything")])
    assert scores.best()[0][0] == "track_order"


def test_a_task_with_one_label_and_empty_questions_can_be_trained(tmp_path: Path) -> None:
    empty = ModelInput(task="t", texts={})
    examples = [TrainingExample(example_id=str(n), input=empty, label="a") for n in range(3)]
    bundle = train((TaskSpec(name="t", labels=("a",)),), examples, {}, tmp_path / "b")
    (scores,) = Classifier.open(bundle.path).score_batch([empty])
    assert scores.probabilities == (1.0,)


def test_han_text_is_learnt_as_well(tmp_path: Path) -> None:
    spec = TaskSpec(name="t", labels=("退款", "发货"))
    texts = {"退款": "我要退款{}", "发货": "{}什么时候发货"}
    examples = [
        TrainingExample(
            example_id=f"{label}{thing}", input=said(text.format(thing), "t"), label=label
        )
        for label, text in texts.items()
        for thing in "灯鞋书杯表椅"
    ]
    bundle = train((spec,), examples, {}, tmp_path / "b")
    (scores,) = Classifier.open(bundle.path).score_batch([said("伞什么时候能发货呢", "t")])
    assert scores.best()[0][0] == "发货"


@pytest.mark.parametrize(
    ("tasks", "examples", "problem"),
    [
        ((), [], "at least one"),
        ((INTENT, INTENT), intent_examples(), "each task once"),
        ((TaskSpec(name="../x", labels=("a",)),), [], "letters, digits"),
        ((INTENT, SCENE), intent_examples(), "task scene has 0 examples"),
        ((INTENT,), scene_examples(), "is of task 'scene'"),
        (
            (INTENT,),
            [TrainingExample(example_id="d7", input=said("hi"), label="greeting")],
            "d7 has label 'greeting'",
        ),
    ],
)
def test_unusable_examples_are_refused_by_name(
    tmp_path: Path,
    tasks: tuple[TaskSpec, ...],
    examples: list[TrainingExample],
    problem: str,
) -> None:
    with pytest.raises(TrainingRefused, match=problem):
        train(tasks, examples, {}, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_the_graph_gives_the_logits_of_the_linear_model() -> None:
    model = Linear(weights=np.array([[1.0, 0.0], [0.0, -2.0], [3.0, 1.0]]), bias=np.arange(3.0))
    session = open_session(to_onnx(model, "t"))
    rows = np.array([[1.0, 2.0], [0.0, 0.0]], dtype=np.float32)
    assert session.run(rows).tolist() == [[1.0, -3.0, 7.0], [0.0, 1.0, 2.0]]


def test_a_bundle_can_be_moved(bundle: Bundle, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in bundle.path.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    assert load_bundle(moved).digest == bundle.digest
