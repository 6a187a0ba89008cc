"""LoRA on a checkpoint's language projections: added, trained, saved, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.errors import MissingExtra
from inference.qwen_vl.checkpoint import checkpoint_family
from inference.qwen_vl.post_training_settings import PostTrainingSettings
from inference.qwen_vl.sample import EncodedSample

LANGUAGE_PROJECTIONS = r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"
WEIGHTS = "adapter_model.safetensors"


def require_mllm() -> None:
    """Refuse early where a package is not installed.

    Raises:
        MissingExtra: names the package and the extra.
    """
    try:
        import peft  # noqa: F401 - asked for, not used
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtra(error.name or "torch", "mllm") from error


def load_base(folder: Path, *, dtype: str) -> Any:
    """Load a checkpoint, on the CPU.

    Args:
        folder: a local checkpoint; nothing is downloaded.
        dtype: of its weights: `float32`, `bfloat16` or `float16`.

    Raises:
        UnusableCheckpoint: the folder is no checkpoint of the families.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    checkpoint_family(folder)
    return AutoModelForImageTextToText.from_pretrained(
        folder,
        dtype=getattr(torch, dtype),
        attn_implementation="sdpa",
        local_files_only=True,
        use_safetensors=True,
    )


def add_adapter(model: Any, settings: PostTrainingSettings) -> Any:
    """Freeze a checkpoint and add LoRA to it, in float32.

    Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.scaling,
        lora_dropout=settings.dropout,
        target_modules=LANGUAGE_PROJECTIONS,
    )
    adapted: Any = get_peft_model(model, config)
    if settings.gradient_checkpointing:
        adapted.get_base_model().gradient_checkpointing_enable(
            gradient_checkpointing_kwargs={"use_reentrant": False}
        )
    return adapted


def model_batch(samples: Sequence[EncodedSample], device: str) -> dict[str, Any]:
    """Samples as a transformers model takes them: padded at the end, images one after the other."""
    import torch

    longest = max(sample.token_ids.size for sample in samples)
    ids = np.zeros((len(samples), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sample in enumerate(samples):
        ids[row, : sample.token_ids.size] = sample.token_ids
        mask[row, : sample.token_ids.size] = 1
    arrays: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    grids = [(1, grid.rows, grid.columns) for sample in samples for grid in sample.grids]
    if grids:
        arrays["pixel_values"] = np.concatenate([sample.patches for sample in samples])
        arrays["image_grid_thw"] = np.array(grids, dtype=np.int64)
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}


def label_logits(model: Any, batch: Mapping[str, Any], token_ids: Sequence[int]) -> Any:
    """`[B, C]` float32 logits of the label codes at the last position of each prompt.

    Only that position meets the output head, and only its label rows: the whole head would be
    `B x S x vocabulary`.
    """
    import torch

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = base.model(**batch, use_cache=False).last_hidden_state
    last = batch["attention_mask"].sum(1) - 1
    answer = hidden[torch.arange(hidden.shape[0], device=hidden.device), last]
    rows = base.lm_head.weight[torch.tensor(token_ids, device=hidden.device)]
    return torch.nn.functional.linear(answer.float(), rows.float())


def trained(model: Any) -> dict[str, Any]:
    """The weights that are trained, by name; not copies."""
    return {name: each for name, each in model.named_parameters() if each.requires_grad}


def save_adapter(model: Any, folder: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`, as peft reads them."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = model.peft_config["default"]
    config.base_model_name_or_path = None  # a path means nothing on another machine
    config.inference_mode = True
    config.save_pretrained(folder)
    weights = get_peft_model_state_dict(model, save_embedding_layers=False)
    tensors = {name: each.detach().cpu().contiguous() for name, each in weights.items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def load_merged(base: Path, adapter: Path, *, dtype: str = "float32") -> Any:
    """A checkpoint with an adapter merged into its weights, ready for export.

    Args:
        base: the checkpoint folder the adapter was trained on.
        adapter: the folder `save_adapter` wrote.
        dtype: of the weights.
    """
    from peft import PeftModel

    model = PeftModel.from_pretrained(load_base(base, dtype=dtype), str(adapter))
    return model.merge_and_unload().eval()
