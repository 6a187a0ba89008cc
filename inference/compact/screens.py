"""What a screenshot says and how it looks: text regions, whole lines, layout and pixel facts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.compact.terms import fold_text
from inference.inputs import Screen

SCREENS = 16
LINES = 400
LINE_CHARS = 500
TOP = 0.2  # a line that begins above this share of the height belongs to the top
BOTTOM = 0.8
BINS = 8
HUES = 12
SMALL = (32, 64)  # width, height: enough for colour and blank rows, little enough for 1 ms
FACTS = 15 + 2 * BINS + 7 + HUES + 3 * BINS + 3

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenText:
    """Folded text of all screens of a question, lines joined by newlines."""

    screen: str
    top: str
    bottom: str
    lines: tuple[str, ...]


def screen_text(screens: tuple[Screen, ...]) -> ScreenText:
    """Fold the lines of the first screens and sort them by where they stand."""
    lines = [
        (fold_text(line.text[:LINE_CHARS]), line.box)
        for screen in screens[:SCREENS]
        for line in screen.lines[:LINES]
    ]
    return ScreenText(
        screen="\n".join(text for text, _ in lines),
        top="\n".join(text for text, box in lines if box[1] < TOP),
        bottom="\n".join(text for text, box in lines if box[3] > BOTTOM),
        lines=tuple(text for text, _ in lines),
    )


def screen_facts(screens: tuple[Screen, ...]) -> Floats | None:
    """`[FACTS]` numbers on layout and pixels, the mean over the screens; None without a screen."""
    if not screens:
        return None
    rows = [np.concatenate([_layout(screen), _look(screen)]) for screen in screens[:SCREENS]]
    mean: Floats = np.mean(rows, axis=0)
    return mean


def _layout(screen: Screen) -> Floats:
    """`[15 + 2·BINS]`: size and shape of image and lines, where the lines stand."""
    lines = screen.lines[:LINES]
    width, height = max(1, screen.width), max(1, screen.height)
    facts = [np.log1p(len(lines)), min(10.0, height / width), np.log(float(width) * height)]
    if not lines:
        return np.concatenate([facts, np.zeros(12 + 2 * BINS)])
    boxes = np.clip(np.array([line.box for line in lines], dtype=np.float64), 0.0, 1.0)
    tall, wide = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    chars = np.array([min(len(line.text), LINE_CHARS) for line in lines], dtype=np.float64)
    facts += [tall.max(), float(np.median(tall)), tall.std(), wide.max(), wide.mean(), wide.std()]
    facts += [np.log1p(chars.sum()), chars.mean(), float(np.mean([x.score for x in lines]))]
    facts += [(tall * wide).sum(), boxes[:, 1].min(), boxes[:, 3].max()]
    down = np.histogram((boxes[:, 1] + boxes[:, 3]) / 2, BINS, (0, 1))[0] / len(lines)
    across = np.histogram((boxes[:, 0] + boxes[:, 2]) / 2, BINS, (0, 1))[0] / len(lines)
    return np.concatenate([facts, down, across])


def _look(screen: Screen) -> Floats:
    """`[7 + HUES + 3·BINS + 3]`: white, dark, colours, brightness from top to bottom, edges."""
    if screen.pixels is None or screen.pixels.size == 0:
        return np.zeros(7 + HUES + 3 * BINS + 3)
    picture = Image.fromarray(np.ascontiguousarray(screen.pixels))
    small = picture.resize(SMALL, Image.Resampling.BOX).convert("HSV")
    hue, colour, light = np.moveaxis(np.asarray(small, dtype=np.float64) / 255, 2, 0)
    facts = [
        ((light > 0.95) & (colour < 0.05)).mean(),
        ((light > 0.9) & (colour < 0.1)).mean(),
        (light < 0.2).mean(),
        *(colour.mean(), colour.std(), light.mean(), light.std()),
    ]
    hues = np.histogram(hue, HUES, (0, 1), weights=colour)[0] / hue.size
    bands = []
    for rows in np.array_split(np.arange(SMALL[1]), BINS):
        bands += [light[rows].mean(), colour[rows].mean(), light[rows].std()]
    edges = [np.abs(np.diff(light, axis=axis)).mean() for axis in (0, 1)]
    blank_rows = (light.std(axis=1) < 0.02).mean()
    return np.concatenate([facts, hues, bands, edges, [blank_rows]])
