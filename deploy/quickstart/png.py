"""PNG bytes that do not depend on the compression library at hand.

zlib and its relatives choose other matches per version and processor; here the choice is ours:
sixteen colours, greedy matches at the newest earlier place, fixed Huffman codes.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from PIL import Image

COLOURS: Final = 16
_WINDOW: Final = 32768
_SHORTEST, _LONGEST = 4, 258

Token = int | tuple[int, int]
"""A literal byte, or a match (length, distance)."""


def matches(content: bytes) -> Iterator[Token]:
    """Cut the content into literals and matches with what came before.

    >>> list(matches(b"abcdabcdabcd"))
    [97, 98, 99, 100, (8, 4)]
    """
    newest: dict[bytes, int] = {}
    at = 0
    while at < len(content):
        key = content[at : at + _SHORTEST]
        seen = newest.get(key, -_WINDOW - 1)
        newest[key] = at
        if len(key) < _SHORTEST or at - seen > _WINDOW:
            yield content[at]
            at += 1
            continue
        length = _SHORTEST
        limit = min(_LONGEST, len(content) - at)
        while length < limit and content[seen + length] == content[at + length]:
            length += 1
        yield length, at - seen
        at += length


def _ladder(count: int, per_step: int, first: int) -> list[tuple[int, int]]:
    """(base, extra bits) of each code; RFC 1951, 3.2.5."""
    steps, base = [], first
    for code in range(count):
        extra = max(0, code // per_step - 1)
        steps.append((base, extra))
        base += 1 << extra
    return steps


_LENGTHS = [*_ladder(28, 4, 3), (258, 0)]
_DISTANCES = _ladder(30, 2, 1)


class _Bits:
    """Bits packed as deflate wants them: least significant first, Huffman codes reversed."""

    def __init__(self) -> None:
        self.packed = bytearray()
        self._held, self._count = 0, 0

    def add(self, value: int, count: int) -> None:
        self._held |= value << self._count
        self._count += count
        while self._count >= 8:
            self.packed.append(self._held & 0xFF)
            self._held >>= 8
            self._count -= 8

    def code(self, value: int, count: int) -> None:
        self.add(int(f"{value:0{count}b}"[::-1], 2), count)

    def symbol(self, symbol: int) -> None:
        """A literal or length symbol in the fixed code; RFC 1951, 3.2.6."""
        if symbol < 144:
            self.code(0x30 + symbol, 8)
        elif symbol < 256:
            self.code(0x190 + symbol - 144, 9)
        elif symbol < 280:
            self.code(symbol - 256, 7)
        else:
            self.code(0xC0 + symbol - 280, 8)

    def step(self, ladder: list[tuple[int, int]], value: int) -> tuple[int, int, int]:
        """The code of a length or distance, with its extra bits and their count."""
        code = max(at for at, (base, _) in enumerate(ladder) if base <= value)
        base, extra = ladder[code]
        return code, value - base, extra


def deflate(content: bytes) -> bytes:
    """A zlib stream of the content.

    >>> zlib.decompress(deflate(b"aaaaaaaaaabc" * 9)) == b"aaaaaaaaaabc" * 9
    True
    """
    bits = _Bits()
    bits.add(0b011, 3)  # the last block, fixed codes
    for token in matches(content):
        if isinstance(token, int):
            bits.symbol(token)
            continue
        code, rest, extra = bits.step(_LENGTHS, token[0])
        bits.symbol(257 + code)
        bits.add(rest, extra)
        code, rest, extra = bits.step(_DISTANCES, token[1])
        bits.code(code, 5)
        bits.add(rest, extra)
    bits.symbol(256)
    bits.add(0, 7)  # up to a whole byte
    return b"\x78\x01" + bytes(bits.packed) + struct.pack(">I", zlib.adler32(content))


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def encode(image: Image.Image) -> bytes:
    """A PNG file of sixteen colours."""
    reduced = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    width, height = reduced.size
    pixels = reduced.tobytes()
    rows = bytearray()
    for start in range(0, width * height, width):
        row = pixels[start : start + width] + b"\0" * (width % 2)
        rows += b"\0" + bytes(
            16 * left + right for left, right in zip(row[::2], row[1::2], strict=True)
        )
    palette = bytes(reduced.getpalette() or ())[: 3 * COLOURS]
    header = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette),
            _chunk(b"IDAT", deflate(bytes(rows))),
            _chunk(b"IEND", b""),
        )
    )
