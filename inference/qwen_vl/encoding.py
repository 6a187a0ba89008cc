"""A local checkpoint's tokenizer and image format: questions → encoded samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inference.errors import MissingExtra, TrainingRefused
from inference.inputs import ModelInput
from inference.qwen_vl.checkpoint import required_file, unusable
from inference.qwen_vl.geometry import Grid
from inference.qwen_vl.image_format import (
    IMAGE_FORMAT,
    ImageFormat,
    Pixels,
    image_format,
    patches_of,
)
from inference.qwen_vl.image_sizes import image_grid
from inference.qwen_vl.label_codes import TokenIds
from inference.qwen_vl.prompt import least_text_tokens, prompt_of, system_lines, text_ids
from inference.qwen_vl.sample import EncodedSample
from inference.qwen_vl.task_prompt import TaskPrompt

TOKENIZER = "tokenizer.json"
CHAT_TOKENS = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|image_pad|>", "<|vision_end|>")

Change = Callable[[Pixels], Pixels]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """A question in tokens, its images not yet in patches.

    pictures: the images shown, in the order of their grids.
    """

    token_ids: tuple[int, ...]
    grids: tuple[Grid, ...]
    pictures: tuple[Pixels, ...]


class Encoder:
    """Encodes the questions of one task, in the chat format that all three families share."""

    def __init__(self, tokenizer: Any, images: ImageFormat, prompt: TaskPrompt) -> None:
        """Use `Encoder.open`, or this with files that are verified already.

        Args:
            tokenizer: a `tokenizers.Tokenizer`, as `read_tokenizer` gives it.
            images: the checkpoint's image format.
            prompt: of the task.

        Raises:
            TrainingRefused: labels and images alone fill the prompt.
            UnusableCheckpoint: the tokenizer lacks a token of the chat format.
        """
        self.prompt = prompt
        self.images = images
        self._token_ids = plain_token_ids(tokenizer)
        begin, end, *marks = (_chat_token(tokenizer, name) for name in CHAT_TOKENS)
        self._image_begin, self._image, self._image_end = marks
        system = "\n".join(system_lines(prompt.task, prompt.codes.codes, prompt.settings))
        next_turn = [end, *self.token_ids("\n"), begin]
        self._head = [begin, *self.token_ids(f"system\n{system}")]
        self._head += [*next_turn, *self.token_ids("user\n")]
        self._tail = [*next_turn, *self.token_ids("assistant\n")]
        self._refuse_full_prompt()

    @classmethod
    def open(cls, folder: Path, prompt: TaskPrompt) -> Encoder:
        """Read `tokenizer.json` and `preprocessor_config.json` from a checkpoint folder.

        Raises:
            UnusableCheckpoint: a file is missing or not what it should be.
            MissingExtra: the package `tokenizers` is not installed.
            TrainingRefused: labels and images alone fill the prompt.
        """
        content = required_file(folder, IMAGE_FORMAT)
        images = image_format(content, folder / IMAGE_FORMAT)
        return cls(open_tokenizer(folder), images, prompt)

    def token_ids(self, text: str) -> list[int]:
        return list(self._token_ids(text))

    def encode(self, question: ModelInput, change: Change | None = None) -> EncodedSample:
        """Encode a question of the task.

        Args:
            question: its screens are looked at once.
            change: of the pixels of each image; the tokens stay the same.
        """
        return self.sample(self.lay_out(question), change)

    def lay_out(self, question: ModelInput) -> Layout:
        """Decide all tokens of a question."""
        settings = self.prompt.settings
        screens = tuple(question.screens)  # each look may decode them
        seen = [each.pixels for each in screens if each.pixels is not None and each.pixels.size]
        pictures = tuple(seen[max(0, len(seen) - settings.max_images) :])
        grids = tuple(map(self._grid, pictures))
        marks = [token for grid in grids for token in self._image_tokens(grid)]
        asked = ModelInput(task=question.task, texts=question.texts, screens=screens)
        words = prompt_of(asked, self.prompt.task, self.prompt.codes.codes, settings)
        fixed = len(self._head) + len(marks) + len(self._tail)
        text = text_ids(words, self.token_ids, room_tokens=settings.max_tokens - fixed)
        ids = (*self._head, *marks, *text, *self._tail)
        return Layout(token_ids=ids, grids=grids, pictures=pictures)

    def sample(self, layout: Layout, change: Change | None = None) -> EncodedSample:
        """Bring the images of a question into patches."""
        rows = [np.zeros((0, self.images.patch_values), dtype=np.float32)]
        for picture, grid in zip(layout.pictures, layout.grids, strict=True):
            pixels = picture if change is None else change(picture)
            rows.append(patches_of(pixels, grid, self.images))
        return EncodedSample(
            token_ids=np.array(layout.token_ids, dtype=np.int64),
            grids=layout.grids,
            patches=np.concatenate(rows),
        )

    def _grid(self, pixels: Pixels) -> Grid:
        height_px, width_px, _ = pixels.shape
        most = self.prompt.settings.image_units
        unit_px, merge = self.images.unit_px, self.images.merge
        rows, columns = image_grid(width_px, height_px, unit_px=unit_px, most_units=most)
        return Grid(rows=rows * merge, columns=columns * merge)

    def _image_tokens(self, grid: Grid) -> list[int]:
        units = grid.patches // self.images.merge**2
        return [self._image_begin, *[self._image] * units, self._image_end]

    def _refuse_full_prompt(self) -> None:
        settings = self.prompt.settings
        images = settings.max_images * (settings.image_units + 2)
        fixed = len(self._head) + images + len(self._tail)
        least = least_text_tokens(self.prompt.task, self.token_ids)
        if fixed + least > settings.max_tokens:
            raise TrainingRefused(
                f"labels and images take {fixed} of the prompt's {settings.max_tokens} tokens and "
                f"the dialogue needs {least}; raise max_tokens, allow fewer or smaller images, "
                "or leave the label descriptions out"
            )


def open_tokenizer(folder: Path) -> Any:
    """Read the tokenizer of a checkpoint folder; see `read_tokenizer`."""
    return read_tokenizer(required_file(folder, TOKENIZER), folder / TOKENIZER)


def read_tokenizer(content: bytes, where: Path) -> Any:
    """A `tokenizers.Tokenizer` to which all text is text.

    Args:
        content: of a `tokenizer.json`.
        where: it was read from, for the error.

    Raises:
        UnusableCheckpoint: the content is no tokenizer.
        MissingExtra: the package `tokenizers` is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("tokenizers", "mllm") from error
    try:
        tokenizer = Tokenizer.from_buffer(content)
    except Exception as error:  # the library raises nothing narrower
        raise unusable(where, f"is no tokenizer ({error})") from error
    # "<|im_end|>" that a user writes must not end the turn.
    tokenizer.encode_special_tokens = True
    return tokenizer


def plain_token_ids(tokenizer: Any) -> TokenIds:
    """What gives a text's ids, with nothing added before or after."""

    def token_ids(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    return token_ids


def _chat_token(tokenizer: Any, name: str) -> int:
    found = tokenizer.token_to_id(name)
    if found is None:
        raise unusable(TOKENIZER, f"has no token {name}")
    return int(found)
