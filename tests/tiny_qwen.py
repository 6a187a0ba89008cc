"""Tiny Qwen-VL checkpoints of all three families: real classes, random weights, no download."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.qwen_vl.geometry import Family, Grid, VisionSpec
from inference.qwen_vl.sample import EncodedSample
from streams.resources import quickstart_folder

PAD = "<|endoftext|>"
END = "<|im_end|>"
# A trained vocabulary begins with them, in this order.
SPECIAL_TOKENS = (
    PAD,
    "<|im_start|>",
    END,
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
CHAT_TEMPLATE = """{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.content is string %}{{ message.content }}{% else %}
{%- for part in message.content -%}
{%- if part.type == "image" %}<|vision_start|><|image_pad|><|vision_end|>
{%- else %}{{ part.text }}{% endif -%}
{%- endfor -%}{% endif %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif -%}"""
VOCABULARY = 800
NEEDS_TORCH = pytest.mark.skipif(
    not all(map(find_spec, ("torch", "transformers", "optimum"))), reason="needs the extra mllm"
)


def write_checkpoint(
    folder: Path,
    family: Family = "qwen2_vl",
    *,
    hidden: int = 64,
    layers: int = 3,
    weight_scale: float = 1.0,
    seed: int = 0,
) -> Path:
    """Write a checkpoint folder as a hub has it: configuration, weights, tokenizer, image format.

    Args:
        folder: made when it is not there.
        family: of which to make one.
        hidden: width of the decoder and of the vision tower; a multiple of 32.
        layers: of the decoder and of the vision tower.
        weight_scale: how much larger than at the start of a training the matrices are; at 3 every
            part of the input shows in the logits.
        seed: of the weights.
    """
    write_tokenizer(folder)
    model = make_model(family, hidden=hidden, layers=layers, weight_scale=weight_scale, seed=seed)
    model.save_pretrained(folder)
    _image_processor(family).save_pretrained(folder)
    return folder


def write_tokenizer(folder: Path) -> None:
    """Train a byte-level BPE tokenizer on the sample dialogues and save it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(sample_texts(), trainer)
    fast: Any = PreTrainedTokenizerFast
    tokenizer = fast(
        tokenizer_object=bpe,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(SPECIAL_TOKENS),
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
    )
    tokenizer.save_pretrained(folder)


def sample_texts() -> list[str]:
    """All that is said in the quickstart's dialogues."""
    lines = (quickstart_folder() / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [turn["text"] for line in lines for turn in json.loads(line)["turns"]]


def make_model(
    family: Family,
    *,
    hidden: int = 64,
    layers: int = 3,
    weight_scale: float = 1.0,
    seed: int = 0,
) -> Any:
    """A model of the family's own configuration and model classes."""
    import torch

    config, kind = _config(family, hidden, layers)
    # So small a model gains nothing from threads, and theirs spin while other tests need the cores.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = kind(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(weight_scale)
            else:  # biases begin at 0 and norms at 1, where mistakes do not show
                parameter.add_(torch.randn_like(parameter) * 0.05 * (weight_scale - 1))
    model.tie_weights()
    return model


def random_sample(
    spec: VisionSpec, grids: tuple[Grid, ...], *, texts: int = 6, seed: int = 0
) -> EncodedSample:
    """A question of random words and noise for images, laid out as an encoder does."""
    draw = np.random.default_rng(seed)
    words = iter(draw.integers(len(SPECIAL_TOKENS), VOCABULARY // 2, (len(grids) + 1, texts)))
    start, end = (SPECIAL_TOKENS.index(f"<|vision_{side}|>") for side in ("start", "end"))
    tokens = list(next(words))
    for grid in grids:
        units = grid.patches // spec.merge**2
        tokens += [start, *[spec.image_token_id] * units, end, *next(words)]
    patches = sum(grid.patches for grid in grids)
    return EncodedSample(
        token_ids=np.array(tokens, np.int64),
        grids=grids,
        patches=draw.normal(size=(patches, spec.patch_values)).astype(np.float32),
    )


def _config(family: Family, hidden: int, layers: int) -> tuple[Any, Any]:
    """The configuration and the model class of a family."""
    import transformers

    text = _text_fields(hidden, layers)
    vision: dict[str, Any] = {"depth": layers, "num_heads": 4, "hidden_size": hidden}
    match family:
        case "qwen2_vl":
            kinds: Any = transformers.Qwen2VLConfig, transformers.Qwen2VLForConditionalGeneration
            vision |= {"embed_dim": hidden, "mlp_ratio": 2, "patch_size": 14}
        case "qwen2_5_vl":
            kinds = transformers.Qwen2_5_VLConfig, transformers.Qwen2_5_VLForConditionalGeneration
            vision |= {"out_hidden_size": hidden, "intermediate_size": 2 * hidden}
            vision |= {"patch_size": 14, "window_size": 112, "fullatt_block_indexes": [layers - 1]}
        case "qwen3_vl":
            kinds = transformers.Qwen3VLConfig, transformers.Qwen3VLForConditionalGeneration
            text["head_dim"] = hidden // 4
            vision |= {"out_hidden_size": hidden, "intermediate_size": 2 * hidden}
            vision |= {"patch_size": 16, "num_position_embeddings": 256}
            vision |= {"deepstack_visual_indexes": list(range(layers - 1))}
    places = {
        f"{name}_token_id": SPECIAL_TOKENS.index(f"<|{token}|>")
        for name, token in (
            ("image", "image_pad"),
            ("video", "video_pad"),
            ("vision_start", "vision_start"),
            ("vision_end", "vision_end"),
        )
    }
    fields = {"text_config": text, "vision_config": vision, "tie_word_embeddings": True}
    return kinds[0](**fields, **places), kinds[1]


def _text_fields(hidden: int, layers: int) -> dict[str, Any]:
    half_head = hidden // 4 // 2
    share = half_head // 4
    sections = [half_head - 2 * share, share, share]
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 2 * hidden,
        "max_position_embeddings": 4096,
        "rope_theta": 1e6,
        "rope_scaling": {"rope_type": "default", "mrope_section": sections},
        "bos_token_id": SPECIAL_TOKENS.index("<|im_start|>"),
        "eos_token_id": SPECIAL_TOKENS.index(END),
        "pad_token_id": SPECIAL_TOKENS.index(PAD),
        "tie_word_embeddings": True,
    }


def _image_processor(family: Family) -> Any:
    from transformers import Qwen2VLImageProcessor

    side = 32 if family == "qwen3_vl" else 28
    return Qwen2VLImageProcessor(
        patch_size=side // 2,
        merge_size=2,
        temporal_patch_size=2,
        min_pixels=4 * side**2,
        max_pixels=64 * side**2,
    )
