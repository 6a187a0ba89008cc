"""What can go wrong on the model side.

InferenceError
├── MissingExtra           an optional package is not installed; the message gives the install line
├── InvalidBundle          the bundle folder is not what its manifest says; never served
├── ProviderUnavailable    ONNX Runtime did not load the execution provider it was asked for
├── UnknownTask            the bundle has no model for this task
├── TrainingRefused        the examples cannot be learnt from as they are
├── BatcherClosed          the item came after, or waited at, the close
└── ReadingError
    ├── ReaderUnavailable  the reading child does not start; nothing wrong with the image
    ├── ImageKillsReader   the image ended or outlasted the reading child twice; never retry
    └── ReadingFailed      the child answered that it cannot read the image
"""

from __future__ import annotations

from pathlib import Path


class InferenceError(Exception):
    """The base of everything this package raises on purpose."""


class MissingExtra(InferenceError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; it comes with the extra {extra} of kdsl, from its "
            f"checkout: pip install '.[{extra}]'"
        )
        self.package = package
        self.extra = extra


class InvalidBundle(InferenceError):
    """A bundle folder is not what its manifest says."""

    def __init__(self, path: Path | str, problem: str, *, cure: str = "") -> None:
        cure = cure or "train the bundle again, or copy it again from where it was made"
        super().__init__(f"{path}: {problem}; {cure}")
        self.path = Path(path)
        self.problem = problem


class ProviderUnavailable(InferenceError):
    """ONNX Runtime runs on something else than was asked for."""

    def __init__(self, asked: str, found: tuple[str, ...]) -> None:
        extra = "gpu" if asked == "CUDAExecutionProvider" else "cpu"
        super().__init__(
            f"{asked} did not load, ONNX Runtime offers {', '.join(found) or 'nothing'}; "
            f"install the extra {extra} of kdsl (in its checkout: pip install '.[{extra}]') and "
            "its drivers, or ask for another provider"
        )
        self.asked = asked
        self.found = found


class UnknownTask(InferenceError):
    """No model of the bundle answers this task."""

    def __init__(self, task: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"the bundle has no task {task!r}, it has {', '.join(known)}; "
            "use a bundle that was trained for this domain"
        )
        self.task = task
        self.known = known


class TrainingRefused(InferenceError):
    """The examples cannot be learnt from as they are."""


class BatcherClosed(InferenceError):
    """The item came after the batcher was closed, or still waited when it was."""

    def __init__(self) -> None:
        super().__init__("the batcher is closed; submit before close()")


class ReadingError(InferenceError):
    """The base of what can go wrong while an image is read."""


class ReaderUnavailable(ReadingError):
    """The reading child does not start."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the reading child does not start ({reason}); "
            "try `python -m inference.reading_child --check`"
        )
        self.reason = reason


class ImageKillsReader(ReadingError):
    """The image ended or outlasted the reading child twice."""

    def __init__(self, sha256: str) -> None:
        super().__init__(
            f"image {sha256[:16]} ended the reading child twice; it is not tried again"
        )
        self.sha256 = sha256


class ReadingFailed(ReadingError):
    """The child answered that it cannot read the image."""

    def __init__(self, sha256: str, reason: str) -> None:
        super().__init__(f"image {sha256[:16]} cannot be read: {reason}")
        self.sha256 = sha256
        self.reason = reason
