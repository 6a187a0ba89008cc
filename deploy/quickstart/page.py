"""A screen before it is drawn: blocks from top to bottom."""

from dataclasses import dataclass
from typing import Literal

BlockKind = Literal[
    "title", "heading", "text", "row", "button", "link", "field", "picture", "theirs", "ours"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One thing on a screen, drawn below the one before.

    right: for a row, what stands at the right edge; empty otherwise.
    """

    kind: BlockKind
    text: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A screen before it is drawn.

    intent: what a customer who only points at it wants; None when it does not say.
    """

    scene: str
    blocks: tuple[Block, ...]
    intent: str | None
