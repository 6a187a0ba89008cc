"""Lines → tables for people, and the section of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.bench.tables import Grid
from tests.benchmarks.mining.lines import COLUMNS, Line


def grids(lines: Sequence[Line], titles: Mapping[int, str]) -> list[Grid]:
    """One a row of the plan."""
    return [
        Grid(
            title=f"{row}. {titles[row]}",
            head=COLUMNS,
            lines=[line.cells() for line in lines if line.row == row],
        )
        for row in dict.fromkeys(line.row for line in lines)
    ]


def section(lines: Sequence[Line], titles: Mapping[int, str], notes: Mapping[str, str]) -> str:
    """What stands between the markers."""
    parts = [grid.markdown() for grid in grids(lines, titles)]
    said = [f"{name}: {text}" for name, text in notes.items()]
    said += [f"missed: {sentence}" for sentence in missed(lines)]
    return "\n\n".join([*parts, "\n".join(f"- {each}" for each in said)])


def missed(lines: Sequence[Line]) -> list[str]:
    """Every bar that was not reached, a sentence each."""
    return [
        f"{line.row}, {' '.join(filter(None, (line.task, line.view, line.says, line.of)))}: "
        f"{line.cells()[6]}, and must be {line.bar.shown}"
        for line in lines
        if line.bar is not None and line.reached.startswith("no")
    ]
