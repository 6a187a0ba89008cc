"""Labels as single existing tokens: what the model answers with, and what is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from string import ascii_lowercase, ascii_uppercase, digits

from inference.errors import TrainingRefused

TokenIds = Callable[[str], Sequence[int]]
"""A text's token ids; special tokens written in the text are ordinary text to it."""

LONGEST_CODE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCodes:
    """A code for each label, in label order.

    token_ids: the one token that each code is, which is a row of the output head.
    """

    codes: tuple[str, ...]
    token_ids: tuple[int, ...]


def label_codes(count: int, token_ids: TokenIds) -> LabelCodes:
    """Choose the first codes that are one token where an answer begins.

    The codes are tokens the model knows: a new token would be a row of embedding and head that
    LoRA does not train. `A` to `Z` come first, then the digits, lower-case letters, and longer
    words of capitals as far as the tokenizer has them.

    Args:
        count: how many labels the task has.
        token_ids: of a text.

    Raises:
        TrainingRefused: the tokenizer has fewer single tokens than the task has labels.
    """
    start = tuple(token_ids("\n"))
    found: dict[int, str] = {}
    for code in _candidates():
        if len(found) == count:
            break
        ids = tuple(token_ids(code))
        # The answer stands at the start of a line: the code must be the same token there.
        if len(ids) == 1 and tuple(token_ids("\n" + code)) == start + ids:
            found.setdefault(ids[0], code)
    if len(found) < count:
        raise TrainingRefused(
            f"the tokenizer has single tokens for {len(found)} label codes and the task has "
            f"{count} labels; use a checkpoint with a larger vocabulary, or fewer labels"
        )
    chosen = tuple(islice(found.items(), count))
    return LabelCodes(
        codes=tuple(code for _, code in chosen), token_ids=tuple(token for token, _ in chosen)
    )


def _candidates() -> Iterator[str]:
    """Codes in the order of preference.

    >>> list(islice(_candidates(), 3)), list(islice(_candidates(), 62, 64))
    (['A', 'B', 'C'], ['AA', 'AB'])
    """
    yield from ascii_uppercase + digits + ascii_lowercase
    for length in range(2, LONGEST_CODE + 1):
        yield from map("".join, product(ascii_uppercase, repeat=length))
