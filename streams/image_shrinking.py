"""Making an image small enough to be sent inside an event."""

from io import BytesIO

from PIL import Image, ImageOps

from streams.errors import ImageRejected
from streams.image_checks import bounded_header, decode
from streams.limits import LIMITS, Limits

# Quality before size: small print suffers less from it than from fewer pixels.
_QUALITIES = (85, 70, 55)
_SCALES = (1.0, 0.75, 0.5, 0.35, 0.25)


def shrink(content: bytes, max_bytes: int, *, limits: Limits = LIMITS) -> bytes:
    """Recompress an image that is too large to be sent inline; unchanged when it is not.

    The result is WEBP, upright, without metadata, on white where it was transparent: first in
    lower quality, then with fewer pixels, down to a quarter of each side.

    Args:
        content: of any size in bytes; it comes from the sender's own disk.
        max_bytes: how large the result may be.
        limits: bounds on pixels and sides.

    Raises:
        ImageRejected: it is no image, or cannot be made as small as that.
    """
    header = bounded_header(content, limits)
    picture = decode(content, header)
    if len(content) <= max_bytes:
        return content
    picture = _on_white(ImageOps.exif_transpose(picture))
    for scale in _SCALES:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        smaller = picture if scale == 1.0 else picture.resize(size, Image.Resampling.LANCZOS)
        for quality in _QUALITIES:
            recompressed = BytesIO()
            smaller.save(recompressed, "WEBP", quality=quality)
            if recompressed.tell() <= max_bytes:
                return recompressed.getvalue()
    raise ImageRejected(
        f"the image cannot be made as small as {max_bytes} bytes and stay legible; "
        "put it into the image store and send its address",
        reason="image_too_large",
    )


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layers = picture.convert("RGBA")
    white = Image.new("RGBA", layers.size, "white")
    return Image.alpha_composite(white, layers).convert("RGB")
