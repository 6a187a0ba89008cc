"""Lines: a figure beside its bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, assert_never

from tests.benchmarks.mining.intervals import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A figure without an interval: seconds, or a count. digits: behind the point."""

    value: float
    digits: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """No figure. why: in a few words."""

    why: str


Figure: TypeAlias = Estimate | Measured | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a figure must reach, or must not exceed."""

    value: float
    kind: Literal["least", "most"] = "least"

    def met(self, value: float) -> bool:
        return value >= self.value if self.kind == "least" else value <= self.value

    @property
    def shown(self) -> str:
        return f"{'≥' if self.kind == 'least' else '≤'} {_number(self.value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of the table.

    row: number of the row it belongs to.
    says: what was measured.
    of: which examples.
    known: what was known before, as the issue of this work has it.
    """

    row: int
    says: str
    figure: Figure
    task: str = ""
    view: str = ""
    of: str = "all"
    known: str = ""
    bar: Bar | None = None

    @property
    def reached(self) -> str:
        """Whether the bar is reached, and whether chance could make it otherwise."""
        if self.bar is None or isinstance(self.figure, Missing):
            return ""
        word = "yes" if self.bar.met(self.figure.value) else "no"
        match self.figure:
            case Estimate(low=low, high=high) if low <= self.bar.value <= high:
                return f"{word}; bar inside"
            case _:
                return word

    def cells(self) -> list[str]:
        """As the columns of the table have it."""
        value, between = _shown(self.figure)
        bar = self.bar.shown if self.bar else ""
        first = [self.says, self.task, self.view, self.of, self.known, bar]
        return [*first, value, between, self.reached]

    def fields(self) -> dict[str, Any]:
        match self.figure:
            case Estimate(value=value, low=low, high=high):
                figure: dict[str, Any] = {"value": value, "low": low, "high": high}
            case Measured(value=value):
                figure = {"value": value}
            case Missing(why=why):
                figure = {"missing": why}
            case _:
                assert_never(self.figure)
        names = ("row", "says", "task", "view", "of", "known")
        bar = {self.bar.kind: self.bar.value} if self.bar else None
        return {name: getattr(self, name) for name in names} | {
            "bar": bar,
            "reached": self.reached,
            **figure,
        }


COLUMNS = ("", "task", "view", "examples", "now known", "bar", "figure", "95 %", "reached")


def _shown(figure: Figure) -> tuple[str, str]:
    match figure:
        case Estimate(value=value, low=low, high=high):
            return _number(value), f"{_number(low)}–{_number(high)}"
        case Measured(value=value, digits=digits):
            return f"{value:,.{digits}f}", ""
        case Missing(why=why):
            return why, ""
        case _:
            assert_never(figure)


def _number(value: float) -> str:
    """Three digits; a share without its zero.

    >>> _number(0.68), _number(-0.0604), _number(60.0)
    ('.680', '-.060', '60')
    """
    if abs(value) >= 10:
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"
