"""Whether the written graphs answer as the checkpoint does in torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.qwen_vl.errors import ParityBroken, UnusableSamples
from inference.qwen_vl.export import ExportedGraphs
from inference.qwen_vl.feeds import Buckets, Shape, least_shape, make_feeds
from inference.qwen_vl.graphs import Module
from inference.qwen_vl.pair import GraphPair
from inference.qwen_vl.sample import EncodedSample
from inference.scoring import Floats, softmax

BATCH_SIZES = (1, 2, 3, 4, 5, 6, 7, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far a graph's answer may be from torch's; the defaults are for single precision."""

    logit: float = 1e-3
    probability: float = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How far the graphs' answers were from torch's, over all questions of all batches.

    most_images: in one question.
    other_labels: questions whose best label differs, those aside that torch itself holds for tied
        within the differences allowed.
    """

    batches: int
    questions: int
    most_images: int
    largest_batch: int
    logit_difference: float
    probability_difference: float
    other_labels: int

    def within(self, tolerance: Tolerance) -> bool:
        """No figure is beyond the tolerance, none is NaN, and no label differs."""
        return (
            self.logit_difference <= tolerance.logit
            and self.probability_difference <= tolerance.probability
            and self.other_labels == 0
        )


def check_parity(
    model: Module,
    label_ids: Sequence[int],
    exported: ExportedGraphs,
    samples: Sequence[EncodedSample],
    *,
    tolerance: Tolerance | None = None,
    threads: int = 1,
) -> Parity:
    """Run the checkpoint and its graphs on the same batches and compare.

    Torch runs the checkpoint's own code, positions and image cutting included; the graphs run
    what the host computes. Every batch is padded further in the graphs than in torch.

    Args:
        model: what the graphs were exported of.
        label_ids: those of the export.
        exported: the graphs.
        samples: real encoded questions: with and without images, of several sizes.
        tolerance: what to allow; left out, the default.
        threads: for ONNX Runtime.

    Raises:
        ParityBroken: the answers differ by more than that; its `parity` has the figures.
        InvalidBundle: a graph is missing or does not load.
        UnusableSamples: there is none, or they are not of this checkpoint.
    """
    tolerance = tolerance or Tolerance()
    if not samples:
        raise UnusableSamples("parity is checked on real questions and there is none; give some")
    pair = GraphPair(exported.folder, threads=threads)
    spec, expected, found = exported.spec, [], []
    batches = list(mixed_batches(samples))
    for batch in batches:
        expected.append(torch_logits(model, label_ids, batch))
        shape = _wider(least_shape(batch), spec.merge**2)
        found.append(pair.logits(make_feeds(batch, spec, shape)))
    parity = _compare(np.concatenate(expected), np.concatenate(found), batches, tolerance)
    if not parity.within(tolerance):
        raise ParityBroken(exported.folder, parity, tolerance)
    return parity


def mixed_batches(samples: Sequence[EncodedSample]) -> Iterator[tuple[EncodedSample, ...]]:
    """Each sample alone, then batches of 1 to 8, going round until every size was there.

    A batch walks the samples in steps, so that neighbours, often alike, are not always together.
    """
    yield from ((sample,) for sample in samples)
    step = next(step for step in (5, 3, 2, 1) if step == 1 or len(samples) % step)
    at = 0
    for size in BATCH_SIZES[1:]:
        yield tuple(samples[(at + step * place) % len(samples)] for place in range(size))
        at += step * size


def torch_logits(
    model: Module, label_ids: Sequence[int], samples: Sequence[EncodedSample]
) -> Floats:
    """`[B, C]` label logits of the checkpoint's own forward pass."""
    import torch

    longest = max(len(sample.token_ids) for sample in samples)
    token_ids = np.zeros((len(samples), longest), np.int64)
    mask = np.zeros_like(token_ids)
    for row, sample in enumerate(samples):
        # In front, as generation pads: elsewhere than the graphs, which pad behind.
        token_ids[row, longest - len(sample.token_ids) :] = sample.token_ids
        mask[row, longest - len(sample.token_ids) :] = 1
    inputs = {"input_ids": torch.from_numpy(token_ids), "attention_mask": torch.from_numpy(mask)}
    grids = [(1, grid.rows, grid.columns) for sample in samples for grid in sample.grids]
    if grids:
        inputs["image_grid_thw"] = torch.tensor(grids)
        inputs["pixel_values"] = torch.from_numpy(np.concatenate([s.patches for s in samples]))
    with torch.no_grad():
        logits = model(**inputs, logits_to_keep=1, use_cache=False).logits[:, -1]
    return np.asarray(logits[:, list(label_ids)], np.float64)


def _wider(shape: Shape, unit: int) -> Shape:
    """A bucket where there is one, and one more of everything where it would fit exactly."""
    more = Shape(
        questions=shape.questions + 1,
        tokens=shape.tokens + 1,
        images=shape.images + 1 if shape.images else 0,
        patches=shape.patches + unit if shape.patches else 0,
    )
    try:
        return Buckets().fit(more)
    except UnusableSamples:
        return more


def _compare(
    expected: Floats,
    found: Floats,
    batches: Sequence[Sequence[EncodedSample]],
    tolerance: Tolerance,
) -> Parity:
    likely = softmax(expected)
    best: NDArray[np.int64] = found.argmax(axis=1)
    # How much less likely torch holds the graphs' label than its own best.
    behind = likely.max(axis=1) - likely[np.arange(len(best)), best]
    return Parity(
        batches=len(batches),
        questions=len(found),
        most_images=max(len(sample.grids) for batch in batches for sample in batch),
        largest_batch=max(map(len, batches)),
        logit_difference=float(np.abs(found - expected).max()),
        probability_difference=float(np.abs(softmax(found) - likely).max()),
        other_labels=int((behind > 2 * tolerance.probability).sum()),
    )
