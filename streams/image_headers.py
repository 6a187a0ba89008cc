"""Kind and size of an image from its first bytes; nothing is decoded."""

import struct
from dataclasses import dataclass
from typing import Literal

ImageKind = Literal["png", "jpeg", "webp"]

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# Frame headers (SOF0…SOF15) without what shares their range: DHT, JPG, DAC.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What an image says about itself; width and height are at least 1."""

    kind: ImageKind
    width: int
    height: int

    @property
    def media_type(self) -> str:
        return f"image/{self.kind}"


def read_header(content: bytes) -> ImageHeader | None:
    """Read the header of a PNG, JPEG or WEBP; None for anything else.

    >>> read_header(b"GIF89a") is None
    True
    >>> read_header(bytes.fromhex("89504e470d0a1a0a 0000000d 49484452 00000003 00000002"))
    ImageHeader(kind='png', width=3, height=2)
    """
    try:
        if content.startswith(_PNG):
            return _header("png", _png_size(content))
        if content.startswith(_JPEG):
            return _header("jpeg", _jpeg_size(content))
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _header("webp", _webp_size(content))
    except struct.error:  # it ends inside its header
        return None
    return None


def jpeg_scans(content: bytes) -> int:
    """At least as many as the scans of a JPEG: each costs a pass over all its pixels.

    Coded pixels never contain a scan's marker, metadata may by chance.
    """
    return content.count(bytes([0xFF, _JPEG_SCAN]))


def _header(kind: ImageKind, size: tuple[int, int] | None) -> ImageHeader | None:
    if size is None or min(size) < 1:
        return None
    return ImageHeader(kind=kind, width=size[0], height=size[1])


def _png_size(content: bytes) -> tuple[int, int] | None:
    if content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Walk from marker to marker up to the first frame header."""
    at = 2
    while True:
        prefix, marker = struct.unpack_from(">BB", content, at)
        if prefix != 0xFF or marker in (_JPEG_END, _JPEG_SCAN):
            return None
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            at += 2
        elif marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        else:
            at += 2 + int(struct.unpack_from(">H", content, at + 2)[0])


def _webp_size(content: bytes) -> tuple[int, int] | None:
    chunk = content[12:16]
    if chunk == b"VP8X":  # extended: the canvas, 24 bits each, one less
        low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", content, 24)
        return 1 + (high_w << 16 | low_w), 1 + (high_h << 16 | low_h)
    if chunk == b"VP8L":  # lossless: 14 bits each, one less
        signature, bits = struct.unpack_from("<BI", content, 20)
        return (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)) if signature == 0x2F else None
    if chunk == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":  # lossy: 14 bits each
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
