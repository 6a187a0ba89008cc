"""What is measured of a screen itself, beside the text read from it."""

import io
from collections.abc import Iterable

from PIL import Image, ImageChops

from inference.inputs import ScreenLine

# Paler than any coloured surface, and low enough for the whites of a lossy format.
_WHITE = 240


def white_share(content: bytes) -> float:
    """Share of an image's pixels whose red, green and blue are all at least 240, 0 to 1.

    Every pixel is counted as decoded: without resampling there is no rounding to differ between
    machines. Takes milliseconds: from a coroutine use `asyncio.to_thread`.

    Args:
        content: the encoded image, already checked to be one of bounded size.
    """
    with Image.open(io.BytesIO(content)) as image:
        red, green, blue = image.convert("RGB").split()
    # Counted inside Pillow: a tenth of the price of an array of all pixels.
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    white = sum(darkest.histogram()[_WHITE:])
    return _rounded(white / (darkest.width * darkest.height))


def height_by_width(width: int, height: int) -> float:
    """Height of an image in widths; above 1 it is upright.

    >>> height_by_width(1080, 1920)
    1.7778
    """
    return _rounded(height / width)


def tallest_text(lines: Iterable[ScreenLine]) -> float:
    """Height of the tallest text line as a share of the image's height; 0 without a line."""
    heights = (bottom - top for _, top, _, bottom in (line.box for line in lines))
    return _rounded(max((0.0, *heights)))


def _rounded(value: float) -> float:
    """To four decimals: as many as a rule's author would write."""
    return round(value, 4)
