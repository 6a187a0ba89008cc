"""Post-trains a local checkpoint for one task: LoRA, and a report of how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from inference.bundle import OUT_OF_FOLD, canonical_json
from inference.calibration import calibrate, ece, fit_temperature
from inference.errors import TrainingRefused
from inference.inputs import TaskSpec, TrainingExample
from inference.qwen_vl.adapter import add_adapter, load_base, require_mllm, save_adapter
from inference.qwen_vl.checkpoint import checkpoint_family
from inference.qwen_vl.encoding import Encoder, open_tokenizer, plain_token_ids
from inference.qwen_vl.post_training_settings import Device, PostTrainingSettings
from inference.qwen_vl.task_prompt import TaskPrompt
from inference.qwen_vl.training_chart import training_chart
from inference.qwen_vl.training_loop import Floats, Progress, TrainingLoop
from inference.qwen_vl.training_report import TrainingReport
from inference.qwen_vl.training_split import Split, split_examples
from inference.qwen_vl.training_state import (
    STATE,
    identity_of,
    load_state,
    refuse_other,
    save_state,
)

ADAPTER = "adapter"
PROMPT = "prompt.json"
REPORT = "report.json"
CURVES = "curves.svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A run that may begin."""

    base: Path
    out: Path
    split: Split
    settings: PostTrainingSettings
    identity: Mapping[str, str]
    encoder: Encoder
    device: str


def post_train(
    base: Path,
    examples: Sequence[TrainingExample],
    task: TaskSpec,
    out: Path,
    settings: PostTrainingSettings | None = None,
    progress: Progress | None = None,
) -> TrainingReport:
    """Learn an adapter for one task from its examples.

    The loss is that of the label codes at the last position of the prompt. The run can be killed
    at any moment: called again with the same arguments, it goes on, and ends with the weights it
    would have had. A finished run is not repeated.

    Args:
        base: a checkpoint folder; it stays as it is.
        examples: of all tasks; those of others are left out, for an adapter serves one task.
        task: what to learn.
        out: the folder to write: `adapter/`, `prompt.json`, `report.json`, `curves.svg` and
            `out_of_fold.jsonl`; `state.pt` until it is finished.
        settings: what decides the run, beside the arguments before.
        progress: told a sentence now and then.

    Raises:
        MissingExtra: torch, transformers or peft is not installed.
        TrainingRefused: the examples cannot be learnt from, or `out` holds something else.
        UnusableCheckpoint: `base` is no checkpoint of the families.
    """
    require_mllm()
    settings, say = settings or PostTrainingSettings(), progress or _silent
    checkpoint_family(base)
    chosen = [example for example in examples if example.input.task == task.name]
    split = split_examples(chosen, task, settings)
    identity = identity_of(base, chosen, task, settings)
    finished = _finished(out, identity)
    if finished is not None:
        say(f"{task.name}: finished before, at step {finished.best_step}")
        return finished
    token_ids = plain_token_ids(open_tokenizer(base))
    plan = _Plan(
        base=base,
        out=out,
        split=split,
        settings=settings,
        identity=identity,
        encoder=Encoder.open(base, TaskPrompt.of(task, token_ids, settings.prompt)),
        device=_device(settings.device),
    )
    out.mkdir(parents=True, exist_ok=True)
    return _run(plan, lambda sentence: say(f"{task.name}: {sentence}"))


def _device(asked: Device) -> str:
    import torch

    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return asked


def _run(plan: _Plan, say: Progress) -> TrainingReport:
    import torch

    on_gpu = plan.device == "cuda"
    # The caller's random numbers are not ours to change.
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_gpu else []):
        torch.manual_seed(plan.settings.seed)
        model = load_base(plan.base, dtype="bfloat16" if on_gpu else "float32")
        adapted = add_adapter(model.to(plan.device), plan.settings)
        loop = TrainingLoop(adapted, plan.encoder, plan.split, plan.settings, plan.device)
        _learn(plan, loop, say)
        logits = loop.held_out_logits()
    save_adapter(adapted, plan.out / ADAPTER)
    report = _report(plan, loop, logits)
    _write(plan, report, _held_out_rows(plan, logits, report.temperature))
    return report


def _learn(plan: _Plan, loop: TrainingLoop, say: Progress) -> None:
    def checkpoint() -> None:
        save_state(plan.out, loop.state, identity=plan.identity, tensors=loop.tensors())

    saved = load_state(plan.out, identity=plan.identity)
    if saved is not None:
        loop.go_on(*saved)
        say(f"goes on after step {len(loop.state.steps)} of {loop.all_steps}")
    loop.run(checkpoint, say)
    loop.keep_best()


def _report(plan: _Plan, loop: TrainingLoop, logits: Floats) -> TrainingReport:
    task, split, state = plan.encoder.prompt.task, plan.split, loop.state
    index = {label: at for at, label in enumerate(task.labels)}
    labels = np.array([index[each.label] for each in split.held_out], dtype=np.int64)
    temperature = fit_temperature(logits, labels)
    best = state.held_out[state.best_at()]
    return TrainingReport(
        task=task.name,
        labels=task.labels,
        identity=dict(plan.identity),
        settings=asdict(plan.settings),
        examples=len(split.learnt),
        held_out_examples=len(split.held_out),
        trained_weights=loop.trained_weights,
        steps=tuple(state.steps),
        held_out=tuple(state.held_out),
        stopped_early=len(state.steps) < loop.all_steps,
        best_step=best.step,
        weighted_f1=best.weighted_f1,
        temperature=temperature,
        ece=ece(calibrate(logits, temperature), labels),
    )


def _held_out_rows(plan: _Plan, logits: Floats, temperature: float) -> bytes:
    """As a bundle's out-of-fold probabilities are written; here of one fold."""
    probabilities = calibrate(logits, temperature)
    rows = [
        {
            "example_id": example.example_id,
            "task": plan.encoder.prompt.task.name,
            "fold": plan.settings.held_out_fold,
            "probabilities": [round(float(p), 8) for p in row],
        }
        for example, row in zip(plan.split.held_out, probabilities, strict=True)
    ]
    return b"".join(canonical_json(row) + b"\n" for row in rows)


def _write(plan: _Plan, report: TrainingReport, rows: bytes) -> None:
    """The report comes last: where it is, all the rest is."""
    out = plan.out
    (out / PROMPT).write_bytes(plan.encoder.prompt.to_json() + b"\n")
    (out / OUT_OF_FOLD).write_bytes(rows)
    (out / CURVES).write_text(training_chart(report), encoding="utf-8")
    new = out / f"{REPORT}.new"
    new.write_bytes(report.to_json())
    new.replace(out / REPORT)
    (out / STATE).unlink(missing_ok=True)


def _finished(out: Path, identity: Mapping[str, str]) -> TrainingReport | None:
    """The report of a run that ended; None where one may begin or go on."""
    where = out / REPORT
    if not where.is_file():
        own = {STATE, f"{STATE}.new", f"{REPORT}.new", ADAPTER, PROMPT, OUT_OF_FOLD, CURVES}
        if out.exists() and any(path.name not in own for path in out.iterdir()):
            raise TrainingRefused(f"{out} holds other files; name a new or an empty folder")
        return None
    try:
        report = TrainingReport.from_json(where.read_bytes())
    except ValueError as error:
        raise TrainingRefused(f"{where} is no training report; name a new folder") from error
    refuse_other(report.identity, identity, where)
    return report


def _silent(_: str) -> None:
    return None
