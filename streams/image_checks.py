"""Image bytes in, checked image out: the bounds first, then one full decode."""

import hashlib
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from streams.errors import ImageRejected
from streams.image_headers import ImageHeader, ImageKind, jpeg_scans, read_header
from streams.limits import LIMITS, Limits

# A progressive JPEG has about ten scans; thousands over a blank image are minutes of work.
_MAX_JPEG_SCANS = 50

# By class and not by `Image.open`: the kind is known, Pillow need not guess, and its warning
# against decompression bombs is moot, as headers are held against the bounds before.
_DECODERS: dict[ImageKind, type[ImageFile.ImageFile]] = {
    "png": PngImageFile,
    "jpeg": JpegImageFile,
    "webp": WebPImageFile,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedImage:
    """An image that decodes, whole and within bounds; of an animated one its first frame.

    sha256: 64 hex digits of `content`, which is as it came.
    media_type: what the bytes are, whatever was said: image/png, image/jpeg or image/webp.
    """

    sha256: str
    width: int
    height: int
    media_type: str
    content: bytes = field(repr=False)


def check_image(
    content: bytes,
    *,
    sha256: str | None = None,
    media_type: str | None = None,
    limits: Limits = LIMITS,
) -> CheckedImage:
    """Hold an image against what was said of it and against the bounds, then decode it once.

    Takes milliseconds to a second: from a coroutine use `asyncio.to_thread`.

    Args:
        content: the bytes as they came.
        sha256: what they must hash to, in hex.
        media_type: what they must be.
        limits: bounds on bytes, pixels and sides.

    Raises:
        ImageRejected: image_too_large, image_mislabelled or image_corrupt.
    """
    digest, header = inspect_image(content, sha256=sha256, media_type=media_type, limits=limits)
    decode(content, header)
    return CheckedImage(
        sha256=digest,
        width=header.width,
        height=header.height,
        media_type=header.media_type,
        content=content,
    )


def inspect_image(
    content: bytes,
    *,
    sha256: str | None = None,
    media_type: str | None = None,
    limits: Limits = LIMITS,
) -> tuple[str, ImageHeader]:
    """Hold an image against what was said of it and against the bounds, without decoding it.

    Fast enough for the tagger's event loop; finds everything wrong but damaged pixels.

    Returns:
        SHA-256 in hex, and the header.

    Raises:
        ImageRejected: image_too_large, image_mislabelled or image_corrupt.
    """
    refuse_bytes(len(content), limits)
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and sha256.lower() != digest:
        raise ImageRejected(
            "the bytes do not hash to the given SHA-256", reason="image_mislabelled"
        )
    header = bounded_header(content, limits)
    if media_type is not None and media_type.lower() != header.media_type:
        raise ImageRejected(
            f"the bytes are {header.media_type}, not what was declared", reason="image_mislabelled"
        )
    return digest, header


def refuse_bytes(size_bytes: int, limits: Limits) -> None:
    """Raise ImageRejected when an image of this size is not read at all."""
    if size_bytes > limits.image_bytes:
        raise ImageRejected(
            f"the image has more than {limits.image_bytes} bytes", reason="image_too_large"
        )


def bounded_header(content: bytes, limits: Limits) -> ImageHeader:
    """Read the header and hold it against the bounds; raises ImageRejected."""
    header = read_header(content)
    if header is None:
        raise ImageRejected("the bytes are no PNG, JPEG or WEBP", reason="image_corrupt")
    width, height = header.width, header.height
    if max(width, height) > limits.image_side or width * height > limits.image_pixels:
        raise ImageRejected(
            f"the image is {width}x{height}; at most {limits.image_side} a side and "
            f"{limits.image_pixels} pixels are read",
            reason="image_too_large",
        )
    if header.kind == "jpeg" and jpeg_scans(content) > _MAX_JPEG_SCANS:
        raise ImageRejected(
            f"the JPEG has more than {_MAX_JPEG_SCANS} scans", reason="image_corrupt"
        )
    return header


def decode(content: bytes, header: ImageHeader) -> Image.Image:
    """Decode the (first) picture whole; raises ImageRejected where that fails."""
    try:
        if header.kind == "png":  # a missing end or a wrong checksum does not stop its decoder
            PngImageFile(BytesIO(content)).verify()
        picture = _DECODERS[header.kind](BytesIO(content))
        if picture.size != (header.width, header.height):
            raise ImageRejected("the image contradicts itself on its size", reason="image_corrupt")
        picture.load()
    except (ImageRejected, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error, …
        raise ImageRejected(
            f"the {header.kind} does not decode: {type(error).__name__}", reason="image_corrupt"
        ) from error
    return picture
