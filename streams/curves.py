"""Small line charts as SVG, for reports that are one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 320, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 44
_TICKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A line through points, on axes that begin at 0.

    title: what it shows, for who cannot see it.
    x, y: what the axes say.
    x_max: end of the x axis; that of y is 1.
    dots: mark every point.
    diagonal: draw where both are equal.
    """

    title: str
    x: str
    y: str
    points: Sequence[tuple[float, float]]
    x_max: float = 1.0
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
        left, right = self._x(0.0), self._x(self.x_max)
        bottom = self._y(0.0)
        drawn = []
        for tick in range(_TICKS + 1):
            share = tick / _TICKS
            x, y = self._x(share * self.x_max), self._y(share)
            drawn += [
                f'<line class="grid" x1="{left}" y1="{y}" x2="{right}" y2="{y}"/>',
                f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.1f}</text>',
                f'<text x="{x}" y="{bottom + 16:.1f}" text-anchor="middle">'
                f"{share * self.x_max:g}</text>",
            ]
        middle = (_TOP + _HEIGHT - _BOTTOM) / 2
        return [
            *drawn,
            f'<text x="{(left + right) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">'
            f"{escape(self.x)}</text>",
            f'<text x="12" y="{middle}" text-anchor="middle" '
            f'transform="rotate(-90 12 {middle})">{escape(self.y)}</text>',
        ]

    def _line(self) -> list[str]:
        drawn = []
        if self.diagonal:
            ends = (self._x(0.0), self._y(0.0), self._x(1.0), self._y(1.0))
            drawn.append('<line class="even" x1="{}" y1="{}" x2="{}" y2="{}"/>'.format(*ends))
        places = [(self._x(x), self._y(y)) for x, y in self.points]
        drawn.append(f'<polyline points="{" ".join(f"{x},{y}" for x, y in places)}"/>')
        if self.dots:
            drawn += [f'<circle cx="{x}" cy="{y}" r="3"/>' for x, y in places]
        return drawn

    def _x(self, value: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * value / self.x_max, 1)

    def _y(self, value: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value, 1)
