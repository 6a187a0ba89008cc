"""ONNX Runtime sessions that run on what was asked for, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inference.errors import MissingExtra, ProviderUnavailable

Provider = Literal["cpu", "cuda"]
PROVIDERS: dict[str, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class Session:
    """One loaded graph with one input and one output."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name
        width = session.get_inputs()[0].shape[1]
        self.width: int | None = width if isinstance(width, int) else None

    @property
    def provider(self) -> str:
        """The execution provider the graph runs on first."""
        return str(self._session.get_providers()[0])

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """`[B, D]` features → `[B, C]` logits."""
        logits = self._session.run([self._output], {self._input: features})[0]
        return np.asarray(logits, dtype=np.float64)


def open_session(graph: Path | bytes, *, provider: Provider = "cpu", threads: int = 1) -> Session:
    """Load a graph.

    Args:
        graph: a file, or its bytes once their checksum is verified.
        provider: what the graph must run on.
        threads: intra-op threads of this session.

    Raises:
        MissingExtra: ONNX Runtime is not installed.
        ProviderUnavailable: the provider did not load; the runtime itself would only log that.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("onnxruntime", "gpu" if provider == "cuda" else "cpu") from error
    asked = PROVIDERS[provider]
    offered = tuple(onnxruntime.get_available_providers())
    if asked not in offered:
        raise ProviderUnavailable(asked, offered)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: warnings about fallbacks are turned into errors below
    source = graph if isinstance(graph, bytes) else str(graph)
    session = Session(onnxruntime.InferenceSession(source, options, providers=[asked]))
    if session.provider != asked:
        raise ProviderUnavailable(asked, (session.provider,))
    return session
