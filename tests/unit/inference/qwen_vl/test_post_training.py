"""An adapter learns from picture and text together, and no kill changes what it learns."""

import json
import multiprocessing
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import TrainingRefused
from inference.folds import fold
from inference.inputs import TaskSpec
from inference.qwen_vl.adapter import (
    add_adapter,
    label_logits,
    load_base,
    load_merged,
    model_batch,
    trained,
)
from inference.qwen_vl.encoding import Encoder, open_tokenizer, plain_token_ids
from inference.qwen_vl.errors import UnusableCheckpoint
from inference.qwen_vl.geometry import Family
from inference.qwen_vl.post_training import post_train
from inference.qwen_vl.task_prompt import TaskPrompt
from inference.qwen_vl.training_report import TrainingReport
from tests.tiny_qwen import NEEDS_TORCH, write_checkpoint
from tests.unit.inference.qwen_vl.lamps import LAMPS, SETTINGS, lamps, train_and_die

pytestmark = NEEDS_TORCH
FEW = 24
SHORT = replace(SETTINGS, epochs=2, batch_size=4, micro_batch=4)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its logits are spread as those of a trained checkpoint are."""
    return write_checkpoint(tmp_path_factory.mktemp("base"), layers=2, weight_scale=4.0)


@pytest.fixture(scope="module")
def short(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a few steps; treat it as read-only."""
    out = tmp_path_factory.mktemp("short") / "out"
    post_train(base, lamps(FEW), LAMPS, out, SHORT)
    return out


def lamp_prompt(base: Path) -> TaskPrompt:
    return TaskPrompt.of(LAMPS, plain_token_ids(open_tokenizer(base)), SETTINGS.prompt)


def weights(out: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(out / "adapter" / "adapter_model.safetensors"))


def test_what_needs_picture_and_text_is_learnt_from_nothing(base: Path, tmp_path: Path) -> None:
    """By the picture or by the text alone, one in two would be wrong."""
    report = post_train(base, lamps(200), LAMPS, tmp_path / "out", SETTINGS)
    assert report.held_out_examples >= 30
    assert report.weighted_f1 >= 0.95
    assert report.weighted_f1 == max(each.weighted_f1 for each in report.held_out)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl"])
def test_the_other_families_learn_it_as_well(family: Family, tmp_path: Path) -> None:
    base = write_checkpoint(tmp_path / "base", family, layers=2, weight_scale=4.0)
    report = post_train(base, lamps(200), LAMPS, tmp_path / "out", SETTINGS)
    assert report.weighted_f1 >= 0.95


def test_the_merged_checkpoint_scores_as_the_run_did(base: Path, short: Path) -> None:
    report = TrainingReport.from_json((short / "report.json").read_bytes())
    prompt = TaskPrompt.from_json((short / "prompt.json").read_bytes())
    encoder = Encoder.open(base, prompt)
    rows = list(map(json.loads, (short / "out_of_fold.jsonl").read_text().splitlines()))
    examples = {each.example_id: each for each in lamps(FEW)}
    assert {row["example_id"] for row in rows} == {n for n in examples if fold(n) == 0}
    model = load_merged(base, short / "adapter")
    for row in rows:
        sample = encoder.encode(examples[row["example_id"]].input)
        batch = model_batch([sample], "cpu")
        scores = label_logits(model, batch, prompt.codes.token_ids) / report.temperature
        found = scores.softmax(1).detach().numpy()[0]
        np.testing.assert_allclose(found, row["probabilities"], atol=1e-5)


def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(
    base: Path, short: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    spawn = multiprocessing.get_context("spawn")
    child = spawn.Process(target=train_and_die, args=(base, out, SHORT, FEW))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert (out / "state.pt").is_file()
    (out / "state.pt.new").write_bytes(b"what a kill in the middle of writing leaves")
    said: list[str] = []
    report = post_train(base, lamps(FEW), LAMPS, out, SHORT, said.append)
    assert "goes on after step 2 of" in said[0]
    whole = TrainingReport.from_json((short / "report.json").read_bytes())
    assert len(report.steps) == len(whole.steps)
    assert [each.loss for each in report.steps] == pytest.approx(
        [each.loss for each in whole.steps], rel=1e-4
    )
    found = weights(out)
    for name, expected in weights(short).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-5)
    assert not list(out.glob("state.pt*"))


def test_an_unfinished_run_is_not_continued_with_other_inputs(base: Path, tmp_path: Path) -> None:
    def stop(sentence: str) -> None:
        if ": step " in sentence:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        post_train(base, lamps(FEW), LAMPS, out, SHORT, stop)
    with pytest.raises(TrainingRefused, match="of a run with other settings; "):
        post_train(base, lamps(FEW), LAMPS, out, replace(SHORT, seed=1))
    with pytest.raises(TrainingRefused, match="of a run with other examples; "):
        post_train(base, lamps(FEW - 1), LAMPS, out, SHORT)
    (out / "state.pt").write_bytes(b"PK")
    with pytest.raises(TrainingRefused, match="delete it to begin anew"):
        post_train(base, lamps(FEW), LAMPS, out, SHORT)


def test_a_finished_run_is_not_repeated(base: Path, short: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in short.rglob("*")}
    report = post_train(base, lamps(FEW), LAMPS, short, SHORT)
    assert report == TrainingReport.from_json((short / "report.json").read_bytes())
    assert before == {path: path.stat().st_mtime_ns for path in short.rglob("*")}
    with pytest.raises(TrainingRefused, match="of a run with other settings; "):
        post_train(base, lamps(FEW), LAMPS, short, replace(SHORT, rank=4))


def test_a_run_stops_when_the_held_out_figure_stays(base: Path, tmp_path: Path) -> None:
    """At a rate of nearly nothing no epoch is better than the first."""
    settings = replace(SHORT, epochs=9, patience=2, learning_rate=1e-12)
    report = post_train(base, lamps(FEW), LAMPS, tmp_path / "out", settings)
    assert report.stopped_early
    assert len(report.held_out) == 3
    assert report.best_step == report.held_out[0].step


def test_only_language_projections_are_trained(base: Path) -> None:
    adapted = add_adapter(load_base(base, dtype="float32"), SETTINGS)
    names = list(trained(adapted))
    assert len(names) == 2 * 7 * 2  # A and B of seven projections in two layers
    assert all("language_model" in name and "lora_" in name for name in names)


def test_on_a_checkpoint_in_bf16_the_adapter_learns_in_float32(base: Path) -> None:
    import torch

    checkpoint: Any = load_base(base, dtype="bfloat16")
    adapted = add_adapter(checkpoint, replace(SETTINGS, gradient_checkpointing=True)).train()
    encoder = Encoder.open(base, lamp_prompt(base))
    batch = model_batch([encoder.encode(each.input) for each in lamps(2)], "cpu")
    logits = label_logits(adapted, batch, encoder.prompt.codes.token_ids)
    logits.logsumexp(1).sum().backward()
    assert logits.dtype == torch.float32
    assert {each.dtype for each in trained(adapted).values()} == {torch.float32}
    moved = [name for name, each in trained(adapted).items() if each.grad.abs().sum() > 0]
    assert len(moved) >= 2 * 6  # B of every projection; A waits for B, which begins at 0


@pytest.mark.parametrize("change", [{"micro_batch": 3}, {"gradient_checkpointing": True}])
def test_what_saves_memory_changes_no_loss(
    base: Path, short: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    report = post_train(base, lamps(FEW), LAMPS, tmp_path / "out", replace(SHORT, **change))
    whole = TrainingReport.from_json((short / "report.json").read_bytes())
    assert [each.loss for each in report.steps] == pytest.approx(
        [each.loss for each in whole.steps], rel=1e-3
    )


def test_padding_and_company_leave_the_logits(base: Path) -> None:
    model = load_base(base, dtype="float32")
    encoder = Encoder.open(base, lamp_prompt(base))
    questions = [each.input for each in lamps(3)]
    questions += [replace(questions[0], screens=()), replace(questions[1], texts={})]
    samples = [encoder.encode(question) for question in questions]
    ids = encoder.prompt.codes.token_ids
    together = label_logits(model, model_batch(samples, "cpu"), ids).detach().numpy()
    alone = [label_logits(model, model_batch([each], "cpu"), ids) for each in samples]
    np.testing.assert_allclose(together, [each.detach().numpy()[0] for each in alone], atol=1e-4)


def test_the_callers_random_numbers_are_left_alone(base: Path, short: Path) -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    adapted = short.parent / "other"
    post_train(base, lamps(FEW), LAMPS, adapted, replace(SHORT, epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_a_run_that_blows_up_is_refused_with_a_cure(base: Path, tmp_path: Path) -> None:
    settings = replace(SHORT, learning_rate=1e30, warm_up_share=0.0)
    with pytest.raises(TrainingRefused, match="lower the learning rate"):
        post_train(base, lamps(FEW), LAMPS, tmp_path / "out", settings)


@pytest.mark.parametrize(
    ("labels", "count", "problem"),
    [
        (("red parcel",), FEW, "which task intent does not"),
        (LAMPS.labels, 0, "has 0 examples to learn from and 0 held out in fold 0"),
    ],
)
def test_unusable_examples_are_refused(
    base: Path, tmp_path: Path, labels: tuple[str, ...], count: int, problem: str
) -> None:
    task = TaskSpec(name="intent", labels=labels)
    with pytest.raises(TrainingRefused, match=problem):
        post_train(base, lamps(count), task, tmp_path / "out", SHORT)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_left_as_it_is(base: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(TrainingRefused, match="holds other files"):
        post_train(base, lamps(FEW), LAMPS, tmp_path, SHORT)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_checkpoint_of_another_family_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UnusableCheckpoint, match="is of family 'gpt2'"):
        post_train(tmp_path, lamps(FEW), LAMPS, tmp_path / "out", SHORT)
