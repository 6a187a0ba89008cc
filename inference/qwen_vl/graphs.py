"""The two graphs as torch modules: images → embeddings, and questions → label logits.

Letters in shapes: `B` questions, `S` tokens a question, `I` images, `P` patches an image,
`D` numbers a patch, `M` embeddings of all images, `H` the decoder's width, `T` deepstack taps, `C`
labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inference.qwen_vl.geometry import VisionSpec

Tensor = Any
Module = Any


def vision_graph(model: Module, spec: VisionSpec) -> Module:
    """The vision tower of a checkpoint, over images padded to `[I, P, D]`.

    Every image is a row of its own, so that attention needs a mask and no cutting; the patch
    embedding, a convolution whose kernel is its stride, is a matrix product.

    Returns:
        A module whose inputs are `feeds.Feeds.vision` and whose outputs are `[M, H]` and, with
        deepstack, `[T, M, H]`.
    """
    import torch

    class VisionGraph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual: Any = model.model.visual
            self.config = model.config

        def forward(
            self,
            patches: Tensor,
            patch_positions: Tensor,
            patch_mask: Tensor,
            windows: Tensor | None = None,
            taps: Tensor | None = None,
            tap_weights: Tensor | None = None,
        ) -> Tensor:
            hidden = _embed_patches(self.visual, patches, taps, tap_weights)
            rotary = _rotary(self.visual, patch_positions)
            whole = _mask(patch_mask[:, None, None, :], hidden.dtype)
            windowed = whole
            if windows is not None:
                same = windows[:, None, :, None] == windows[:, None, None, :]
                windowed = _mask(same, hidden.dtype)
            return _run_blocks(self.visual, hidden, rotary, (whole, windowed), spec)

    return VisionGraph().eval()


def decoder_graph(model: Module, spec: VisionSpec, label_ids: Sequence[int]) -> Module:
    """The language model of a checkpoint as a scorer of labels from one prefill.

    Its head keeps the rows of the labels' tokens alone: `C` instead of some 150,000.

    Args:
        model: for conditional generation, its adapter merged.
        spec: of its configuration.
        label_ids: the token of each label, in label order.

    Returns:
        A module whose inputs are `feeds.Feeds.decoder` and the outputs of the vision graph, and
        whose output is `[B, C]`.
    """
    import torch

    class DecoderGraph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.language: Any = model.model.language_model
            self.config = model.config
            rows = model.lm_head.weight.detach()[torch.as_tensor(list(label_ids))]
            self.head = torch.nn.Parameter(rows.clone(), requires_grad=False)

        def forward(
            self,
            token_ids: Tensor,
            positions: Tensor,
            image_index: Tensor,
            last_index: Tensor,
            image_embeddings: Tensor,
            deepstack: Tensor | None = None,
        ) -> Tensor:
            hidden = self.language.embed_tokens(token_ids)
            seen = _rows(image_embeddings, image_index).to(hidden.dtype)
            hidden = torch.where((image_index > 0)[..., None], seen, hidden)
            taps = [] if deepstack is None else [_rows(tap, image_index) for tap in deepstack]
            hidden = _run_layers(self.language, hidden, positions, taps)
            last = hidden[torch.arange(hidden.shape[0], device=hidden.device), last_index]
            return torch.nn.functional.linear(self.language.norm(last), self.head)

    return DecoderGraph().eval()


def _embed_patches(
    visual: Module, patches: Tensor, taps: Tensor | None, weights: Tensor | None
) -> Tensor:
    """`[I, P, D]` pixels → `[I, P, h]`, with the learnt positions where the family has them."""
    import torch

    kernel = visual.patch_embed.proj
    matrix = kernel.weight.flatten(1)
    hidden = torch.nn.functional.linear(patches.to(matrix.dtype), matrix, kernel.bias)
    if taps is None or weights is None:
        return hidden
    corners = visual.pos_embed(taps) * weights[..., None].to(hidden.dtype)
    return hidden + corners.sum(dim=-2)


def _rotary(visual: Module, positions: Tensor) -> tuple[Tensor, Tensor]:
    """`[I, P, 2]` rows and columns → cosine and sine, each `[I, 1, P, head]` float32."""
    import torch

    frequencies = visual.rotary_pos_emb.inv_freq.float()
    angles = (positions[..., None].float() * frequencies).flatten(-2)
    angles = torch.cat((angles, angles), dim=-1)[:, None]
    return angles.cos(), angles.sin()


def _mask(visible: Tensor, dtype: Any) -> Tensor:
    """What is added to attention scores: 0 where visible, next to nothing elsewhere.

    Half the least number, for a score added to the least would be -inf, and a row of these NaN.
    """
    import torch

    return torch.where(visible, 0.0, torch.finfo(dtype).min / 2).to(dtype)


def _run_blocks(
    visual: Module,
    hidden: Tensor,
    rotary: tuple[Tensor, Tensor],
    masks: tuple[Tensor, Tensor],
    spec: VisionSpec,
) -> Tensor:
    """`[I, P, h]` through blocks and mergers; the masks are of whole images and of windows."""
    import torch

    whole, windowed = masks
    deepstack = []
    for number, block in enumerate(visual.blocks):
        mask = whole if number in spec.whole_blocks else windowed
        hidden = hidden + _attend(block.attn, block.norm1(hidden), rotary, mask)
        hidden = hidden + block.mlp(block.norm2(hidden))
        if number in spec.deepstack_blocks:
            merger = visual.deepstack_merger_list[visual.deepstack_visual_indexes.index(number)]
            deepstack.append(merger(hidden.flatten(0, 1)))
    merged = visual.merger(hidden.flatten(0, 1))
    return (merged, torch.stack(deepstack)) if deepstack else merged


def _attend(
    attention: Module, hidden: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor
) -> Tensor:
    import torch

    images, patches, _ = hidden.shape
    heads = attention.qkv(hidden).reshape(images, patches, 3, attention.num_heads, -1)
    query, key, value = heads.permute(2, 0, 3, 1, 4).unbind(0)
    seen = torch.nn.functional.scaled_dot_product_attention(
        _turn(query, rotary), _turn(key, rotary), value, attn_mask=mask
    )
    return attention.proj(seen.transpose(1, 2).reshape(images, patches, -1))


def _turn(heads: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions in single precision: each head's halves are the coordinates turned."""
    import torch

    cosine, sine = rotary
    left, right = heads.float().chunk(2, dim=-1)
    turned = torch.cat((-right, left), dim=-1)
    return (heads.float() * cosine + turned * sine).to(heads.dtype)


def _rows(table: Tensor, index: Tensor) -> Tensor:
    """`[M, H]` embeddings, read at 1…M; row 0 is zero, which also allows M = 0."""
    import torch

    return torch.cat((table.new_zeros(1, table.shape[-1]), table))[index]


def _run_layers(
    language: Module, hidden: Tensor, positions: Tensor, deepstack: Sequence[Tensor]
) -> Tensor:
    """The decoder layers over `[B, S, H]`; the first `T` are each followed by a tap."""
    import torch

    steps = torch.arange(hidden.shape[1], device=hidden.device)
    causal = _mask((steps[None, :] <= steps[:, None])[None, None], hidden.dtype)
    rotary = language.rotary_emb(hidden, positions)
    for number, layer in enumerate(language.layers):
        answer = layer(hidden, attention_mask=causal, position_embeddings=rotary, use_cache=False)
        hidden = answer[0] if isinstance(answer, tuple) else answer
        if number < len(deepstack):
            hidden = hidden + deepstack[number].to(hidden.dtype)
    return hidden
