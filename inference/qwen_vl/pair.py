"""The two graphs of a folder in ONNX Runtime, run one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import InvalidBundle, MissingExtra
from inference.qwen_vl.feeds import Arrays, Feeds

VISION = "vision.onnx"
DECODER = "decoder.onnx"


class GraphPair:
    """Both graphs on the CPU; what the host computed goes in, label logits come out."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load the graphs of a folder.

        Raises:
            InvalidBundle: a graph is missing or cannot be loaded.
            MissingExtra: ONNX Runtime is not installed.
        """
        self._vision = _open(folder / VISION, threads)
        self._decoder = _open(folder / DECODER, threads)

    def logits(self, feeds: Feeds) -> NDArray[np.float64]:
        """`[B, C]` label logits of the questions, padding left out."""
        seen = _run(self._vision, feeds.vision) if feeds.vision else self._nothing_seen()
        logits = _run(self._decoder, {**feeds.decoder, **seen})["label_logits"]
        return np.asarray(logits[: feeds.questions], np.float64)

    def _nothing_seen(self) -> Arrays:
        """The vision graph's outputs for no image at all, as the decoder takes them."""
        kinds = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
        outputs = {output.name for output in self._vision.get_outputs()}
        return {
            taken.name: np.zeros(
                [n if isinstance(n, int) else 0 for n in taken.shape], kinds[taken.type]
            )
            for taken in self._decoder.get_inputs()
            if taken.name in outputs
        }


def _open(graph: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("onnxruntime", "cpu") from error
    if not graph.is_file():
        raise InvalidBundle(graph, "is missing", cure="export the checkpoint again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has no common base for what a bad graph raises
        cure = "export the checkpoint again"
        raise InvalidBundle(graph, f"cannot be loaded ({error})", cure=cure) from error


def _run(session: Any, feeds: Arrays) -> dict[str, NDArray[Any]]:
    taken = {each.name for each in session.get_inputs()}
    names = [output.name for output in session.get_outputs()]
    answers = session.run(names, {name: feeds[name] for name in taken})
    return dict(zip(names, answers, strict=True))
