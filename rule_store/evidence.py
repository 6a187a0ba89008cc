"""Evidence: the normalised text channels of an event, the only thing a rule may read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from unicodedata import normalize

from rule_store.errors import UnknownChannel

Channel = str

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
_DIGIT = re.compile(r"\d")


def check_channel(channel: str) -> None:
    """Refuse a channel that does not exist.

    Raises:
        UnknownChannel: not one of `CHANNELS`.
    """
    if channel not in _CHANNEL_SET:
        raise UnknownChannel(channel, known=CHANNELS)


def _fold_once(text: str) -> str:
    return " ".join(_DIGIT.sub("0", normalize("NFKC", text).casefold()).split())


def fold(text: str) -> str:
    r"""Bring a text into the form in which texts are compared.

    NFKC, case folded, every decimal digit as "0", white space runs (newlines too) as one space,
    stripped. Folding twice changes nothing.

    >>> fold("  Ｏrder №12\n ARRIVED ")
    'order no00 arrived'
    """
    folded = _fold_once(text)
    if folded.isascii():
        return folded
    # Case folding can undo NFKC and the other way round ("ͅ" becomes "ι"): repeat until it rests.
    while (again := _fold_once(folded)) != folded:
        folded = again
    return folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    r"""What is known of an event when it is tagged.

    texts: the channels that were read, each its folded segments (turns, screen lines) joined by
        "\n"; a channel that is absent is unread, one that is "" was read and held nothing.
    """

    texts: Mapping[Channel, str]

    def __post_init__(self) -> None:
        for channel in self.texts:
            check_channel(channel)

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
