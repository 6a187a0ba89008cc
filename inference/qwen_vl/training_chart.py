"""The curves of a training report as one picture (SVG)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from inference.qwen_vl.training_report import TrainingReport

WIDTH, HEIGHT = 420, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 42
TICKS = 4
MOST_POINTS = 400
STYLE = (
    "text{font:11px sans-serif;fill:#444}.title{font-weight:bold}.grid{stroke:#ddd}"
    "polyline{fill:none;stroke:#1f6fb2;stroke-width:1.5}.kept{stroke:#c33;stroke-dasharray:4 3}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """One curve over the steps, on axes that begin at 0.

    kept: the step whose weights were kept; a dashed line stands there.
    """

    title: str
    points: Sequence[tuple[float, float]]
    steps: int
    highest: float
    kept: int

    def drawn(self, left: int) -> list[str]:
        line = " ".join(f"{self._x(x)},{self._y(y)}" for x, y in self.points)
        kept = self._x(self.kept)
        return [
            f'<g transform="translate({left} 0)">',
            f'<text class="title" x="{LEFT}" y="18">{escape(self.title)}</text>',
            *(part for tick in range(TICKS + 1) for part in self._tick(tick / TICKS)),
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
            "steps</text>",
            f'<line class="kept" x1="{kept}" y1="{TOP}" x2="{kept}" y2="{HEIGHT - BOTTOM}"/>',
            f'<polyline points="{line}"/>',
            "</g>",
        ]

    def _tick(self, share: float) -> list[str]:
        x, y = self._x(share * self.steps), self._y(share * self.highest)
        return [
            f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>',
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{share * self.highest:.3g}</text>",
            f'<text x="{x}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
            f"{share * self.steps:g}</text>",
        ]

    def _x(self, step: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * step / self.steps, 1)

    def _y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.highest, 1)


def training_chart(report: TrainingReport) -> str:
    """Draw training loss, held-out weighted F1 and held-out log-loss over the steps."""
    held_out = report.held_out
    curves: tuple[tuple[str, list[tuple[float, float]], float | None], ...] = (
        ("Training loss", [(float(each.step), each.loss) for each in report.steps], None),
        ("Held-out weighted F1", [(each.step, each.weighted_f1) for each in held_out], 1.0),
        ("Held-out log-loss", [(each.step, each.log_loss) for each in held_out], None),
    )
    steps = max(1, len(report.steps))
    drawn: list[str] = []
    for at, (title, points, highest) in enumerate(curves):
        top = highest or max((y for _, y in points), default=0.0) or 1.0
        thin = _thinned(points)
        panel = _Panel(title=title, points=thin, steps=steps, highest=top, kept=report.best_step)
        drawn += panel.drawn(at * WIDTH)
    width = len(curves) * WIDTH
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" role="img" '
            f'aria-label="Post-training of {escape(report.task)}: loss and held-out figures">',
            f"<style>{STYLE}</style>",
            *drawn,
            "</svg>\n",
        ]
    )


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MOST_POINTS` means of equally many neighbours each."""
    together = -(-len(points) // MOST_POINTS) or 1
    runs = [points[at : at + together] for at in range(0, len(points), together)]
    return [(sum(x for x, _ in run) / len(run), sum(y for _, y in run) / len(run)) for run in runs]
