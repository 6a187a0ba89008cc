"""Evidence: normalised text channels and numeric facts, the only thing a rule may read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self
from unicodedata import is_normalized, normalize

from rule_store.errors import UnknownChannel, UnknownFact

Channel = str
Fact = str

CHANNELS: tuple[Channel, ...] = (
    "last",
    "user",
    "reply",
    "agent",
    "screen",
    "screen.top",
    "screen.bottom",
    "screen.lines",
)
_CHANNEL_SET = frozenset(CHANNELS)

FACTS: tuple[Fact, ...] = (
    "turns",
    "images",
    "screen.line_count",
    "screen.white_share",
    "screen.height_by_width",
    "screen.tallest_text",
)
"""What can be measured of an event. Facts of the screen are read and unread with its channels.

turns: of the user, as far as the event holds them. images: that the question reads.
screen.line_count: text lines of all images that the question reads.

The others are of the last image that the question reads, rounded to four decimals:
screen.white_share: of its pixels, 0 to 1. screen.height_by_width: its height in widths.
screen.tallest_text: height of its tallest text line as a share of its own, 0 to 1.

Of no image at all, every fact of the screen is 0.
"""
_FACT_SET = frozenset(FACTS)
_DIGIT = re.compile(r"\d")
# The marks that keep nearly every Chinese text from being NFKC. Replaced first, which changes no
# result, they leave the rest to the quick check: a quarter of the time.
_MARKS = tuple((mark, normalize("NFKC", mark)) for mark in "，？！：；（）…～")


def check_channel(channel: str) -> None:
    """Refuse a channel that does not exist.

    Raises:
        UnknownChannel: not one of `CHANNELS`.
    """
    if channel not in _CHANNEL_SET:
        raise UnknownChannel(channel, known=CHANNELS)


def check_fact(fact: str) -> None:
    """Refuse a fact that nobody measures.

    Raises:
        UnknownFact: not one of `FACTS`.
    """
    if fact not in _FACT_SET:
        raise UnknownFact(fact, known=FACTS)


def _fold_once(text: str) -> str:
    if not text.isascii():
        for mark, plain in _MARKS:
            text = text.replace(mark, plain)
        text = normalize("NFKC", text)
    text = _DIGIT.sub("0", text.casefold())
    # Nothing printable but " " is white space: most texts need not be taken apart.
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    return " ".join(text.split())


def fold(text: str) -> str:
    r"""Bring a text into the form in which texts are compared.

    NFKC, case folded, every decimal digit as "0", white space runs (newlines too) as one space,
    stripped. Folding twice changes nothing.

    >>> fold("  Ｏrder №12\n ARRIVED ")
    'order no00 arrived'
    """
    folded = _fold_once(text)
    # Case folding can undo NFKC and the other way round ("ͅ" becomes "ι"): repeat until it rests.
    # What is NFKC here rests: case folding is done, as digits and white space are.
    while not is_normalized("NFKC", folded) and (again := _fold_once(folded)) != folded:
        folded = again
    return folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    r"""What is known of an event when it is tagged.

    texts: the channels that were read, each its folded segments (turns, screen lines) joined by
        "\n"; a channel that is absent is unread, one that is "" was read and held nothing.
    facts: those that were measured; one that is absent is unread.

    Raises:
        UnknownChannel, UnknownFact: a key that does not exist.
        ValueError: a fact that is not a finite number.
    """

    texts: Mapping[Channel, str]
    facts: Mapping[Fact, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for channel in self.texts:
            check_channel(channel)
        for fact, value in self.facts.items():
            check_fact(fact)
            if not math.isfinite(value):
                raise ValueError(f"{fact} is {value}; leave out what cannot be measured")

    @classmethod
    def of(cls, segments: Mapping[Channel, Iterable[str] | None]) -> Self:
        """Fold and join the segments of each channel; None leaves a channel unread.

        >>> Evidence.of({"last": ["Where is it?"], "screen": None}).texts
        {'last': 'where is it?'}

        Raises:
            UnknownChannel: a key is not one of `CHANNELS`.
            TypeError: a channel was given one string instead of its segments.
        """
        return cls(
            texts={
                channel: _joined(channel, parts)
                for channel, parts in segments.items()
                if parts is not None
            }
        )

    def read(self, channel: Channel) -> str | None:
        """Give the channel's text, or None when nobody looked.

        Raises:
            UnknownChannel: not one of `CHANNELS`.
        """
        check_channel(channel)
        return self.texts.get(channel)


def _joined(channel: Channel, parts: Iterable[str]) -> str:
    if isinstance(parts, str):
        raise TypeError(f"channel {channel} takes a list of segments: put the text into a list")
    return "\n".join(filter(None, map(fold, parts)))
