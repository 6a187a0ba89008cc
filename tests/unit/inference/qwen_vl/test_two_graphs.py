"""The exported graphs answer as the checkpoint does in torch."""

import copy
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import InvalidBundle
from inference.qwen_vl.errors import ParityBroken, UnusableCheckpoint, UnusableSamples
from inference.qwen_vl.export import ExportedGraphs, export_graphs
from inference.qwen_vl.feeds import Shape, least_shape, make_feeds
from inference.qwen_vl.geometry import Grid, VisionSpec, vision_spec
from inference.qwen_vl.pair import GraphPair
from inference.qwen_vl.parity import Tolerance, check_parity, mixed_batches, torch_logits
from inference.qwen_vl.sample import EncodedSample
from tests.tiny_qwen import NEEDS_TORCH, random_sample, write_checkpoint

LABEL_IDS = (100, 41, 77, 230, 12)
TIGHT = Tolerance(logit=2e-5, probability=5e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A checkpoint of one family with its graphs."""

    model: Any
    graphs: ExportedGraphs
    samples: tuple[EncodedSample, ...]


@pytest.fixture(
    scope="module",
    params=[
        "qwen2_vl",
        pytest.param("qwen2_5_vl", marks=pytest.mark.slow),
        pytest.param("qwen3_vl", marks=pytest.mark.slow),
    ],
)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    from transformers import AutoModelForImageTextToText

    folder = tmp_path_factory.mktemp(request.param)
    checkpoint = write_checkpoint(folder / "checkpoint", request.param, weight_scale=3.0)
    model = AutoModelForImageTextToText.from_pretrained(checkpoint)
    samples = questions(vision_spec(model.config))
    graphs = export_graphs(model, LABEL_IDS, samples[1:3], folder / "graphs")
    return Exported(model=model, graphs=graphs, samples=samples)


def questions(spec: VisionSpec) -> tuple[EncodedSample, ...]:
    """Questions of no, one, two and three images of many sizes."""
    shown = [
        (),
        (Grid(rows=2, columns=2),),
        (Grid(rows=4, columns=18), Grid(rows=12, columns=6)),
        (Grid(rows=20, columns=10), Grid(rows=2, columns=4), Grid(rows=6, columns=6)),
        (),
        (Grid(rows=10, columns=14),),
    ]
    return tuple(
        random_sample(spec, grids, texts=3 + 4 * at, seed=at) for at, grids in enumerate(shown)
    )


@NEEDS_TORCH
def test_graphs_answer_as_torch_does_whatever_the_batch(exported: Exported) -> None:
    parity = check_parity(
        exported.model, LABEL_IDS, exported.graphs, exported.samples, tolerance=TIGHT
    )
    assert parity.most_images == 3
    assert parity.largest_batch == 8
    assert parity.questions == 6 + sum(range(2, 9))


@NEEDS_TORCH
def test_a_question_scores_alone_as_in_a_padded_batch(exported: Exported) -> None:
    pair, spec = GraphPair(exported.graphs.folder), exported.graphs.spec
    alone = [pair.logits(make_feeds([sample], spec)) for sample in exported.samples]
    wide = Shape(questions=8, tokens=512, images=9, patches=256)
    together = pair.logits(make_feeds(exported.samples, spec, wide))
    np.testing.assert_allclose(np.concatenate(alone), together, atol=TIGHT.logit)


@NEEDS_TORCH
def test_each_patch_of_each_image_shows_in_the_answer(exported: Exported) -> None:
    """Else the graphs could agree with torch because neither looks."""
    pair, spec = GraphPair(exported.graphs.folder), exported.graphs.spec
    sample = exported.samples[2]
    before = pair.logits(make_feeds([sample], spec))
    for patch in (0, len(sample.patches) // 2, len(sample.patches) - 1):
        patches = sample.patches.copy()
        patches[patch] += 3
        after = pair.logits(make_feeds([replace(sample, patches=patches)], spec))
        assert np.abs(after - before).max() > 10 * TIGHT.logit


@NEEDS_TORCH
def test_graphs_of_other_weights_are_refused_with_the_figures(exported: Exported) -> None:
    norm = exported.model.model.language_model.norm.weight
    norm.data[0] += 1
    try:
        with pytest.raises(ParityBroken, match=r"logits by up to .* other labels") as broken:
            check_parity(exported.model, LABEL_IDS, exported.graphs, exported.samples)
    finally:
        norm.data[0] -= 1
    assert broken.value.parity.logit_difference > Tolerance().logit


@NEEDS_TORCH
def test_weights_in_a_file_beside_the_graph_change_nothing(
    exported: Exported, tmp_path: Path
) -> None:
    graphs = export_graphs(
        exported.model, LABEL_IDS, exported.samples[1:3], tmp_path, external_above_bytes=1_000
    )
    names = ("vision.onnx", "vision.onnx_data", "decoder.onnx", "decoder.onnx_data")
    assert graphs.files == names
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    assert (tmp_path / "decoder.onnx").stat().st_size < 200_000
    check_parity(exported.model, LABEL_IDS, graphs, exported.samples[:3], tolerance=TIGHT)


@NEEDS_TORCH
def test_an_export_over_an_older_one_leaves_no_weights_behind(
    exported: Exported, tmp_path: Path
) -> None:
    (tmp_path / "decoder.onnx_data").write_bytes(b"of an older export")
    graphs = export_graphs(exported.model, LABEL_IDS, exported.samples[1:3], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(graphs.files)


@NEEDS_TORCH
def test_an_export_without_any_image_is_refused(exported: Exported, tmp_path: Path) -> None:
    with pytest.raises(UnusableSamples, match="add one"):
        export_graphs(exported.model, LABEL_IDS, exported.samples[:1], tmp_path)


@NEEDS_TORCH
def test_a_checkpoint_in_bfloat16_is_refused_with_the_cure(
    exported: Exported, tmp_path: Path
) -> None:
    coarse = copy.deepcopy(exported.model).bfloat16()
    with pytest.raises(UnusableCheckpoint, match="load the checkpoint in float32"):
        export_graphs(coarse, LABEL_IDS, exported.samples, tmp_path)


@NEEDS_TORCH
def test_graphs_in_half_precision_answer_as_torch_in_single(
    exported: Exported, tmp_path: Path
) -> None:
    half = copy.deepcopy(exported.model).half()
    graphs = export_graphs(half, LABEL_IDS, exported.samples[1:3], tmp_path)
    rough = Tolerance(logit=5e-2, probability=5e-3)
    parity = check_parity(exported.model, LABEL_IDS, graphs, exported.samples, tolerance=rough)
    assert parity.logit_difference > TIGHT.logit


@NEEDS_TORCH
def test_an_image_that_is_moved_to_another_place_changes_torch_and_graphs_alike(
    exported: Exported,
) -> None:
    spec = exported.graphs.spec
    turned = replace(
        exported.samples[2], grids=(Grid(rows=18, columns=4), Grid(rows=6, columns=12))
    )
    expected = torch_logits(exported.model, LABEL_IDS, [turned])
    found = GraphPair(exported.graphs.folder).logits(make_feeds([turned], spec))
    np.testing.assert_allclose(found, expected, atol=TIGHT.logit)
    straight = torch_logits(exported.model, LABEL_IDS, [exported.samples[2]])
    assert np.abs(expected - straight).max() > 10 * TIGHT.logit


@NEEDS_TORCH
def test_a_missing_graph_is_refused_by_name(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "vision.onnx").symlink_to(exported.graphs.folder / "vision.onnx")
    with pytest.raises(InvalidBundle, match=r"decoder\.onnx: is missing"):
        GraphPair(tmp_path)


def test_a_graph_cut_short_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "vision.onnx").write_bytes(b"\x08\x08\x12\x07")
    with pytest.raises(InvalidBundle, match=r"vision\.onnx: cannot be loaded"):
        GraphPair(tmp_path)


def test_batches_hold_every_sample_alone_and_every_size_to_eight() -> None:
    spec = VisionSpec(family="qwen2_vl", image_token_id=5, merge=2, patch_values=12, hidden=8)
    for count in (1, 2, 3, 5, 6, 15, 30):
        samples = [random_sample(spec, (), seed=seed) for seed in range(count)]
        batches = list(mixed_batches(samples))
        assert [batch[0] for batch in batches[:count]] == samples
        assert [len(batch) for batch in batches[count:]] == [2, 3, 4, 5, 6, 7, 8]
        assert least_shape(batches[-1]).questions == 8


def test_the_package_can_be_imported_without_torch() -> None:
    heavy = {"torch", "transformers", "optimum", "peft", "onnxruntime"}
    probe = "import sys, inference.qwen_vl; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    ).stdout
    assert not heavy & set(loaded.split())
