"""Results → tables for people: in the terminal and in docs/benchmarks.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Column, Table

from streams.bench.kill import Killed
from streams.bench.results import P99_BAR, P99_PEER, Rate, Results, Size, cpu, wall
from streams.bench.rows import OURS, Row
from streams.bench.runner import Failed

BEGIN = "<!-- kdsl bench stream: begin -->"
END = "<!-- kdsl bench stream: end -->"
_NONE = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table as text. title: above it. head: of its columns; all but the first are numbers."""

    title: str
    head: Sequence[str]
    lines: Sequence[Sequence[str]]

    def rich(self, room: int) -> Table:
        """For a terminal of `room` columns; without enough room cells fold, and no word is cut.

        Where even the longest words have too little room, the table is wider: print it uncropped.
        """
        first, *others = self._widths(room)
        columns = [Column(self.head[0], width=first)]
        columns += [
            Column(name, justify="right", width=width)
            for name, width in zip(self.head[1:], others, strict=True)
        ]
        whole = first + sum(others) + self._frame
        table = Table(*columns, title=self.title, title_justify="left", width=whole)
        for line in self.lines:
            table.add_row(*line)
        return table

    @property
    def _frame(self) -> int:
        """What edges and the space beside them take."""
        return 3 * len(self.head) + 1

    def _widths(self, room: int) -> list[int]:
        cells = list(zip(self.head, *self.lines, strict=True))
        wanted = [max(len(cell) for cell in column) for column in cells]
        if sum(wanted) + self._frame <= room:
            return wanted
        least = [max(len(word) for cell in column for word in cell.split(" ")) for column in cells]
        left = room - self._frame - sum(least[1:])
        return [max(least[0], min(left, wanted[0])), *least[1:]]

    def markdown(self) -> str:
        rule = ["---", *("---:" for _ in self.head[1:])]
        rows = [self.head, rule, *self.lines]
        return f"**{self.title}**\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def grids(results: Results) -> list[Grid]:
    """One for each size of records, one for latencies."""
    found = [_size(results, results.small, kills=True, bars=results.scale.comparable)]
    if results.large is not None:
        found.append(_size(results, results.large, kills=False, bars=False))
    if results.latencies:
        found.append(_latency(results))
    return found


def _size(results: Results, size: Size, *, kills: bool, bars: bool) -> Grid:
    kills = kills and bool(results.kills)
    head = ["", "records/s", "ours ÷ it", "per CPU-s", "ours ÷ it"]
    head += ["lost when killed", "again"] if kills else []
    lines = [
        [
            _says(row, size),
            *_numbers(row, size, wall, row.wall_bar if bars else None),
            *_numbers(row, size, cpu, row.cpu_bar if bars else None),
            *(_killed(results, row) if kills else []),
        ]
        for row in results.rows
    ]
    title = f"{size.records:,} records of ~{size.value_bytes} B, median of {results.scale.runs}"
    return Grid(title=title, head=head, lines=lines)


def _says(row: Row, size: Size) -> str:
    flavour = "" if row.ours else f", {row.flavour}"
    return f"{row.says}{flavour}{'' if size.whole(row) else ' ¹'}"


def _numbers(row: Row, size: Size, rate: Rate, bar: float | None) -> tuple[str, str]:
    number, ratio = size.rate(row, rate), size.ratio(row, rate)
    shown = "failed" if number is None else f"{number:,.0f}"
    if row.ours or ratio is None:
        return shown, _NONE
    return shown, _times(ratio) if bar is None else f"{_times(ratio)} (≥{bar:g})"


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def _killed(results: Results, row: Row) -> list[str]:
    match results.kills.get(row.key):
        case Killed(records=records, kills=kills, lost=lost, again=again):
            tried = f", {kills}×" if kills > 1 else ""
            return [f"{lost:,} of {records:,}{tried}", f"{again:,}"]
        case Failed():
            return ["failed", _NONE]
        case None:
            return [_NONE, _NONE]


def _latency(results: Results) -> Grid:
    lines = []
    for row in results.rows:
        if row.key in results.latencies:
            pair, ratio = results.latency(row.key), results.p99_ratio(row.key)
            shown = [_NONE, _NONE] if pair is None else [f"{pair[0]:.0f}", f"{pair[1]:.0f}"]
            own = row.key == OURS or ratio is None
            judged = results.scale.comparable and row.key == P99_PEER
            bar = f" (≤{P99_BAR:g})" if judged else ""
            lines.append([row.says, *shown, _NONE if own else f"{ratio:.2f}{bar}"])
    scale = results.scale
    title = f"Latency at {scale.latency_per_s:,} events/s, {scale.latency_runs} runs"
    return Grid(title=title, head=["", "p50 ms", "p99 ms", "our p99 ÷ it"], lines=lines)


def notes(results: Results) -> list[str]:
    """What must be known beside the tables."""
    sizes = [size for size in (results.small, results.large) if size is not None]
    found = [f"{name}: {text}" for name, text in results.machine.items()]
    if any(not size.whole(row) for size in sizes for row in results.rows):
        found.append(
            f"¹ not all records were through after {results.scale.seconds:g} s; the rate is of "
            "those that were"
        )
    if not results.scale.comparable:
        found.append("quick: these figures are too short to compare, so no bar is judged")
    found += [f"missed: {sentence}" for sentence in results.missed()]
    return found + results.troubles()


def markdown(results: Results) -> str:
    """The section of docs/benchmarks.md that a run writes."""
    parts = [grid.markdown() for grid in grids(results)]
    parts.append("\n".join(f"- {' '.join(note.split())}" for note in notes(results)))
    return "\n\n".join(parts)


def put_between_markers(path: Path, section: str) -> None:
    """Replace what stands between the markers of a file; without them, the whole file."""
    section = f"{BEGIN}\n{section}\n{END}"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    whole = before + section + after if begin and end else section + "\n"
    path.write_text(whole, encoding="utf-8")
