"""The model side of KDSL: questions in, calibrated label probabilities out.

Reading order: `inputs`, `classifier`, `bundle`, `compact`, then `batcher`, `session`, `scoring`,
`calibration`; `reading` turns screenshots into text lines.
"""

from inference.batcher import MicroBatcher
from inference.bundle import Bundle, BundleTask, OutOfFold, labels_digest, load_bundle
from inference.classifier import Classifier
from inference.errors import (
    BatcherClosed,
    ImageKillsReader,
    InferenceError,
    InvalidBundle,
    MissingExtra,
    ProviderUnavailable,
    ReaderUnavailable,
    ReadingError,
    ReadingFailed,
    TrainingRefused,
    UnknownTask,
)
from inference.folds import fold
from inference.inputs import (
    LabelScores,
    ModelInput,
    Screen,
    ScreenLine,
    TaskSpec,
    TrainingExample,
)
from inference.reading import Reader, Reading, ReadingCache

__all__ = [
    "BatcherClosed",
    "Bundle",
    "BundleTask",
    "Classifier",
    "ImageKillsReader",
    "InferenceError",
    "InvalidBundle",
    "LabelScores",
    "MicroBatcher",
    "MissingExtra",
    "ModelInput",
    "OutOfFold",
    "ProviderUnavailable",
    "Reader",
    "ReaderUnavailable",
    "Reading",
    "ReadingCache",
    "ReadingError",
    "ReadingFailed",
    "Screen",
    "ScreenLine",
    "TaskSpec",
    "TrainingExample",
    "TrainingRefused",
    "UnknownTask",
    "fold",
    "labels_digest",
    "load_bundle",
]
