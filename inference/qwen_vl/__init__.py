"""The recipe for Qwen2-VL, Qwen2.5-VL and Qwen3-VL: one prefill scores the labels.

A checkpoint becomes two graphs, vision and decoder; the host computes every integer they need.

Reading order: `prompt`, `encoding`, `sample`, `geometry`, `feeds`, then `graphs`, `export`, `pair`,
`parity`; `post_training` and `adapter` for the weights.
"""

from inference.qwen_vl.adapter import load_merged
from inference.qwen_vl.encoding import Encoder
from inference.qwen_vl.errors import ParityBroken, UnusableCheckpoint, UnusableSamples
from inference.qwen_vl.export import ExportedGraphs, export_graphs
from inference.qwen_vl.feeds import Buckets, Feeds, Shape, least_shape, make_feeds
from inference.qwen_vl.geometry import Grid, VisionSpec, spec_from_json, vision_spec
from inference.qwen_vl.pair import GraphPair
from inference.qwen_vl.parity import Parity, Tolerance, check_parity
from inference.qwen_vl.post_training import post_train
from inference.qwen_vl.post_training_settings import PostTrainingSettings
from inference.qwen_vl.prompt import PromptSettings
from inference.qwen_vl.sample import EncodedSample
from inference.qwen_vl.task_prompt import TaskPrompt
from inference.qwen_vl.training_report import TrainingReport

__all__ = [
    "Buckets",
    "EncodedSample",
    "Encoder",
    "ExportedGraphs",
    "Feeds",
    "GraphPair",
    "Grid",
    "Parity",
    "ParityBroken",
    "PostTrainingSettings",
    "PromptSettings",
    "Shape",
    "TaskPrompt",
    "Tolerance",
    "TrainingReport",
    "UnusableCheckpoint",
    "UnusableSamples",
    "VisionSpec",
    "check_parity",
    "export_graphs",
    "least_shape",
    "load_merged",
    "make_feeds",
    "post_train",
    "spec_from_json",
    "vision_spec",
]
