"""Writes a checkpoint's two graphs as ONNX, through optimum's exporter."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.errors import MissingExtra
from inference.qwen_vl.errors import UnusableCheckpoint, UnusableSamples
from inference.qwen_vl.feeds import Arrays, make_feeds
from inference.qwen_vl.geometry import VisionSpec, vision_spec
from inference.qwen_vl.graphs import Module, Tensor, decoder_graph, vision_graph
from inference.qwen_vl.pair import DECODER, VISION
from inference.qwen_vl.sample import EncodedSample

OPSET = 18  # the newest that optimum's exporter writes by itself
EXTERNAL_ABOVE_BYTES = 1_500_000_000  # a protobuf message ends at 2 GiB, and a graph is one

Axes = Mapping[str, dict[int, str]]

PATCHES = {0: "images", 1: "patches"}
TOKENS = {0: "questions", 1: "tokens"}
AXES: Axes = {
    "patches": PATCHES,
    "patch_positions": PATCHES,
    "patch_mask": PATCHES,
    "windows": PATCHES,
    "taps": PATCHES,
    "tap_weights": PATCHES,
    "image_embeddings": {0: "embeddings"},
    "deepstack": {1: "embeddings"},
    "token_ids": TOKENS,
    "positions": {1: "questions", 2: "tokens"},
    "image_index": TOKENS,
    "last_index": {0: "questions"},
    "label_logits": {0: "questions"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedGraphs:
    """What an export wrote.

    folder: holds `vision.onnx`, `decoder.onnx` and, beside a large one, its `<graph>_data`.
    files: their names.
    """

    folder: Path
    files: tuple[str, ...]
    spec: VisionSpec
    opset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traced:
    """A graph with the inputs it is traced on."""

    graph: Module
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]


def export_graphs(
    model: Module,
    label_ids: Sequence[int],
    samples: Sequence[EncodedSample],
    folder: Path,
    *,
    opset: int = OPSET,
    external_above_bytes: int = EXTERNAL_ABOVE_BYTES,
) -> ExportedGraphs:
    """Trace both graphs on real samples and write them; all their sizes stay free.

    Needs memory for about four times the weights: the model, the traced graph, and its rewriting.

    Args:
        model: a Qwen-VL for conditional generation, on the CPU, its adapter merged.
        label_ids: the token of each label, in label order.
        samples: questions to trace with, at least one with an image.
        folder: made when it is not there.
        opset: of both graphs.
        external_above_bytes: of a larger graph the weights go into a file beside it.

    Raises:
        MissingExtra: the exporter is not installed.
        UnusableCheckpoint: of no known family, or in bfloat16.
        UnusableSamples: none has an image, or they are not of this checkpoint.
    """
    try:
        import optimum.exporters.onnx  # noqa: F401 - asked first: tracing may take minutes
    except ImportError as error:
        raise MissingExtra("optimum-onnx", "mllm") from error
    if not any(sample.grids for sample in samples):
        raise UnusableSamples("no sample has an image to trace the vision graph with; add one")
    spec = vision_spec(model.config)
    if str(model.dtype) == "torch.bfloat16":
        raise UnusableCheckpoint("no CPU runs a graph in bfloat16; load the checkpoint in float32")
    folder.mkdir(parents=True, exist_ok=True)
    vision, decoder = _traced(model.eval(), spec, label_ids, samples)
    files = [
        *_write(vision, folder / VISION, opset, external_above_bytes),
        *_write(decoder, folder / DECODER, opset, external_above_bytes),
    ]
    return ExportedGraphs(folder=folder, files=tuple(files), spec=spec, opset=opset)


def _traced(
    model: Module, spec: VisionSpec, label_ids: Sequence[int], samples: Sequence[EncodedSample]
) -> tuple[_Traced, _Traced]:
    """Both graphs; the vision graph's answer is among the decoder's inputs."""
    import torch

    feeds = make_feeds(samples, spec)
    vision = vision_graph(model, spec)
    images = _tensors(feeds.vision or {})
    with torch.no_grad():
        seen = vision(**images)
    embeddings = dict(zip(("image_embeddings", "deepstack"), _outputs(seen), strict=False))
    return (
        _Traced(graph=vision, inputs=images, outputs=tuple(embeddings)),
        _Traced(
            graph=decoder_graph(model, spec, label_ids),
            inputs={**_tensors(feeds.decoder), **embeddings},
            outputs=("label_logits",),
        ),
    )


def _outputs(answer: Any) -> tuple[Tensor, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


def _tensors(arrays: Arrays) -> dict[str, Tensor]:
    import torch

    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _write(traced: _Traced, path: Path, opset: int, external_above_bytes: int) -> tuple[str, ...]:
    """Export one graph; gives the names of the files written."""
    from optimum.exporters.onnx import export

    beside = path.with_name(f"{path.name}_data")
    for old in (path, beside):
        old.unlink(missing_ok=True)
    with warnings.catch_warnings():
        # The tracer warns of each Python value it meets; the parity check finds those that vary.
        warnings.simplefilter("ignore")
        export(
            traced.graph,
            _config(traced),
            path,
            opset=opset,
            # Would run the whole graph once more, to name sizes that nobody reads.
            disable_dynamic_axes_fix=True,
        )
    if not beside.exists() and path.stat().st_size > external_above_bytes:
        _move_weights(path, beside)
    return (path.name, beside.name) if beside.exists() else (path.name,)


def _config(traced: _Traced) -> Any:
    """What optimum must know of a graph that is none of its own."""
    from optimum.exporters.onnx import OnnxConfig
    from optimum.utils import NormalizedConfig

    class GraphConfig(OnnxConfig):  # type: ignore[misc] # untyped
        NORMALIZED_CONFIG_CLASS = NormalizedConfig

        @property
        def inputs(self) -> dict[str, dict[int, str]]:
            return {name: AXES[name] for name in traced.inputs}

        @property
        def outputs(self) -> dict[str, dict[int, str]]:
            return {name: AXES[name] for name in traced.outputs}

        def generate_dummy_inputs(self, **_: object) -> dict[str, Tensor]:
            return dict(traced.inputs)

    return GraphConfig(traced.graph.config, task="feature-extraction")


def _move_weights(path: Path, beside: Path) -> None:
    """Rewrite a graph so that its weights lie in a file of their own."""
    import onnx

    onnx.save(
        onnx.load(path),
        path,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=beside.name,
    )
