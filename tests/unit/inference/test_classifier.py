"""Questions in, probabilities out; company changes nothing."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

from inference.bundle import Bundle, BundleTask, write_bundle
from inference.classifier import Classifier
from inference.compact import train
from inference.errors import InvalidBundle, MissingExtra, ProviderUnavailable, UnknownTask
from inference.inputs import ModelInput
from inference.session import open_session
from tests.unit.inference.shop import INTENT, intent_examples, said, scene_examples, shown


def mixed_questions() -> list[ModelInput]:
    examples = intent_examples()[::3] + scene_examples()[::2]
    questions = [example.input for example in sorted(examples, key=lambda each: each.example_id)]
    return [*questions, said(""), shown(), said("x" * 100_000), said("订单在哪里")]


def test_batching_does_not_change_results(bundle: Bundle) -> None:
    classifier = Classifier.open(bundle.path)
    questions = mixed_questions()
    alone = [classifier.score_batch([question])[0] for question in questions]
    for size in (2, 7, len(questions)):
        for start in range(0, len(questions), size):
            batch = classifier.score_batch(questions[start : start + size])
            for one, together in zip(alone[start : start + size], batch, strict=True):
                assert together.labels == one.labels
                assert together.probabilities == pytest.approx(one.probabilities, abs=1e-4)


def test_answers_keep_the_order_of_mixed_tasks(bundle: Bundle) -> None:
    classifier = Classifier.open(bundle.path)
    scores = classifier.score_batch([shown("Pay now"), said("where is it"), shown("Pay now")])
    assert [each.labels for each in scores] == [
        classifier.labels("scene"),
        classifier.labels("intent"),
        classifier.labels("scene"),
    ]
    assert scores[0] == scores[2]


async def test_an_unknown_task_fails_its_caller_alone(bundle: Bundle) -> None:
    async with Classifier.open(bundle.path) as classifier:
        questions = (said("where is it"), said("hello", "mood"))
        good, bad = await asyncio.gather(
            *(classifier.score(question) for question in questions), return_exceptions=True
        )
        assert good == classifier.score_batch(questions[:1])[0]
        assert isinstance(bad, UnknownTask)
        with pytest.raises(UnknownTask, match="mood"):
            classifier.score_batch(questions)


async def test_an_odd_question_fails_its_caller_alone(bundle: Bundle) -> None:
    async with Classifier.open(bundle.path) as classifier:
        odd = ModelInput(task="intent", texts={"last": None})  # type: ignore[dict-item]
        answers = classifier.score_each([said("where is it"), odd])
    assert answers[0] == classifier.score_batch([said("where is it")])[0]
    assert isinstance(answers[1], TypeError)


def test_no_questions_get_no_answers(bundle: Bundle) -> None:
    assert Classifier.open(bundle.path).score_batch([]) == []


def test_it_says_what_it_serves(bundle: Bundle) -> None:
    classifier = Classifier.open(bundle.path)
    assert classifier.tasks == ("intent", "scene")
    assert (classifier.digest, classifier.labels_digest) == (bundle.digest, bundle.labels_digest)


def test_a_bundle_of_another_recipe_is_refused(tmp_path: Path) -> None:
    task = BundleTask(labels=("a",), graph="g", features="f", temperature=1.0)
    files = {"g": b"", "f": b""}
    write_bundle(tmp_path, recipe="abacus", tasks={"t": task}, files=files, facts={})
    with pytest.raises(InvalidBundle, match="recipe 'abacus'"):
        Classifier.open(tmp_path)


def test_graph_and_features_of_different_width_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    intent, scene = bundle.tasks["intent"], bundle.tasks["scene"]
    mixed = BundleTask(
        labels=intent.labels, graph=scene.graph, features=intent.features, temperature=1.0
    )
    files = {name: bundle.read(name) for name in (scene.graph, intent.features)}
    write_bundle(tmp_path, recipe="compact", tasks={"intent": mixed}, files=files, facts={})
    with pytest.raises(InvalidBundle, match="features"):
        Classifier.open(tmp_path)


def test_a_graph_for_other_labels_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    intent = bundle.tasks["intent"]
    more = BundleTask(
        labels=(*intent.labels, "other"),
        graph=intent.graph,
        features=intent.features,
        temperature=1.0,
    )
    files = {name: bundle.read(name) for name in (intent.graph, intent.features)}
    write_bundle(tmp_path, recipe="compact", tasks={"intent": more}, files=files, facts={})
    with pytest.raises(InvalidBundle, match="the task has 4 labels"):
        Classifier.open(tmp_path)


def test_features_that_are_none_are_named(bundle: Bundle, tmp_path: Path) -> None:
    intent = bundle.tasks["intent"]
    files = {intent.graph: bundle.read(intent.graph), intent.features: b"{}"}
    write_bundle(tmp_path, recipe="compact", tasks={"intent": intent}, files=files, facts={})
    with pytest.raises(InvalidBundle, match=r"intent\.features\.json"):
        Classifier.open(tmp_path)


def test_the_manifest_tells_how_it_did_on_held_out_examples(bundle: Bundle) -> None:
    held_out = json.loads((bundle.path / "manifest.json").read_bytes())["held_out"]
    assert held_out["intent"]["examples"] == 54
    assert set(held_out["scene"]) == {"profile", "examples", "accuracy", "log_loss", "ece"}


def test_another_provider_than_asked_for_is_refused(bundle: Bundle) -> None:
    graph = bundle.read("intent.onnx")
    assert open_session(graph).provider == "CPUExecutionProvider"
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime offers CUDA")
    with pytest.raises(ProviderUnavailable, match="CUDAExecutionProvider did not load"):
        open_session(graph, provider="cuda")


def test_a_runtime_that_falls_back_silently_is_caught(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`get_available_providers` lists CUDA also where its libraries do not load."""
    onnxruntime = pytest.importorskip("onnxruntime")
    plain = onnxruntime.InferenceSession

    def fall_back(graph: object, options: object, providers: object) -> object:
        return plain(graph, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", fall_back)
    with pytest.raises(ProviderUnavailable) as caught:
        open_session(bundle.read("intent.onnx"), provider="cuda")
    assert caught.value.found == ("CPUExecutionProvider",)


def test_a_missing_runtime_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"onnxruntime.*pip install '\.\[cpu\]'"):
        open_session(b"")


@pytest.mark.parametrize("module", ["sklearn.linear_model", "skl2onnx", "scipy.sparse"])
def test_a_missing_training_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install '\.\[train\]'"):
        train((INTENT,), intent_examples(), {}, tmp_path / "b")


def test_a_damaged_bundle_is_not_opened(bundle: Bundle, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundle.path, tmp_path / "copy"))
    (copy / "scene.onnx").write_bytes((copy / "scene.onnx").read_bytes()[:-1])
    with pytest.raises(InvalidBundle, match=r"scene\.onnx"):
        Classifier.open(copy)
