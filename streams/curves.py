"""Small line charts as SVG, for reports that are one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil
from typing import Self

_WIDTH, _HEIGHT = 320, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 44
_TICKS = 5  # between marks, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """From `low` to `high`, with a mark at every step.

    says: what is counted along it.
    """

    says: str
    low: float = 0.0
    high: float = 1.0
    step: float = 0.2

    @classmethod
    def of_shares(cls, says: str, lowest: float) -> Self:
        """Up to 1, from a tenth below the lowest share; from 0 where that is not in sight."""
        tenths = min(8, ceil(round(10 * lowest, 6)) - 1)
        return cls(says=says, low=tenths / 10, step=0.1) if tenths >= _TICKS else cls(says=says)

    @classmethod
    def of_counts(cls, says: str, highest: float) -> Self:
        """From 0, with marks at whole numbers."""
        high = max(1, ceil(highest))
        steps = (first * 10**zeros for zeros in range(len(str(high))) for first in (1, 2, 5, 10))
        return cls(says=says, high=high, step=next(s for s in steps if s * _TICKS >= high))

    def ticks(self) -> list[tuple[float, str]]:
        """Where the marks are, and what they say."""
        count = int(round((self.high - self.low) / self.step, 6))
        places = [self.low + number * self.step for number in range(count + 1)]
        return [(place, f"{place:.{1 if self.step < 1 else 0}f}") for place in places]

    def share(self, value: float) -> float:
        """How far along the axis it lies, within 0..1."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A line through points.

    title: what it shows, for who cannot see it.
    dots: mark every point; one alone is marked always.
    diagonal: draw where both are equal, on axes of one range.
    """

    title: str
    x: Axis
    y: Axis
    points: Sequence[tuple[float, float]]
    dots: bool = False
    diagonal: bool = False

    def svg(self) -> str:
        """Draw it; the text around it says how to read it."""
        return "\n".join(
            [
                f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
                f'aria-label="{escape(self.title)}">',
                *self._axes(),
                *self._line(),
                "</svg>",
            ]
        )

    def _axes(self) -> list[str]:
        left, right = self._x(self.x.low), self._x(self.x.high)
        below = self._y(self.y.low) + 16
        drawn = []
        for value, said in self.y.ticks():
            y = self._y(value)
            drawn += [
                f'<line class="grid" x1="{left}" y1="{y}" x2="{right}" y2="{y}"/>',
                f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{said}</text>',
            ]
        for value, said in self.x.ticks():
            drawn.append(
                f'<text x="{self._x(value)}" y="{below:.1f}" text-anchor="middle">{said}</text>'
            )
        middle = (_TOP + _HEIGHT - _BOTTOM) / 2
        return [
            *drawn,
            f'<text x="{(left + right) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">'
            f"{escape(self.x.says)}</text>",
            f'<text x="12" y="{middle}" text-anchor="middle" '
            f'transform="rotate(-90 12 {middle})">{escape(self.y.says)}</text>',
        ]

    def _line(self) -> list[str]:
        drawn = []
        if self.diagonal:
            low, high = self.x.low, self.x.high
            ends = (self._x(low), self._y(low), self._x(high), self._y(high))
            drawn.append('<line class="even" x1="{}" y1="{}" x2="{}" y2="{}"/>'.format(*ends))
        places = [(self._x(x), self._y(y)) for x, y in self.points]
        drawn.append(f'<polyline points="{" ".join(f"{x},{y}" for x, y in places)}"/>')
        if self.dots or len(places) == 1:
            drawn += [f'<circle cx="{x}" cy="{y}" r="3"/>' for x, y in places]
        return drawn

    def _x(self, value: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * self.x.share(value), 1)

    def _y(self, value: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * self.y.share(value), 1)
