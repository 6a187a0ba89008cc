"""The few sizes that images are brought to, so that batches of them need little padding."""

from __future__ import annotations

import math

ASPECTS = (1 / 3, 9 / 20, 9 / 16, 3 / 4, 1.0, 4 / 3, 16 / 9, 20 / 9, 3.0)
"""Height by width: phone screenshots old and new, photos, and the same lying down."""

HALVINGS = 4


def image_grid(width_px: int, height_px: int, *, unit_px: int, most_units: int) -> tuple[int, int]:
    """The size an image is resized to, in rows and columns of units.

    A unit is what becomes one token. The budget is halved as long as the image has no more
    pixels than that, at most four times: a small picture is not blown up to cost as much as a
    screenshot. The nearest of nine aspects is taken; a longer image is squeezed into the last.

    Args:
        width_px: of the image, 1 or more.
        height_px: likewise.
        unit_px: side of a unit: patch size × merge size.
        most_units: the budget of an image, in tokens.

    Returns:
        Rows and columns, each at least 1; their product is at most `most_units`.

    >>> image_grid(1080, 2400, unit_px=28, most_units=256)
    (23, 10)
    >>> image_grid(1, 1, unit_px=28, most_units=256)
    (4, 4)
    """
    own_units = width_px * height_px / unit_px**2
    units = most_units
    for _ in range(HALVINGS):
        if units < 2 or own_units > units // 2:
            break
        units //= 2
    shape = math.log(height_px / width_px)
    aspect = min(ASPECTS, key=lambda each: abs(math.log(each) - shape))
    columns = max(1, int(math.sqrt(units / aspect)))
    rows = max(1, int(math.sqrt(units * aspect)))
    return min(rows, units), min(columns, units)
