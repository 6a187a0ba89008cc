"""Tables in which every word stays whole, so that what has to be copied can be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

from streams.cli.terminal import printable, stdout

_NOTHING = ("", "-")


def text_column(name: str, *, cells: int = 36) -> Column:
    """A column of sentences: it may be broken anywhere once it is so many cells wide."""
    return Column(name, min_width=cells)


def number_column(name: str) -> Column:
    return Column(name, justify="right", no_wrap=True)


def print_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    under: Mapping[str, str] = MappingProxyType({}),
    box: Box = SIMPLE_HEAD,
) -> None:
    """Print a table without the columns that say nothing; one block a row where it is too wide.

    Args:
        columns: plain ones, broken only between words, or those of `text_column` and
            `number_column`; the first is always shown.
        rows: a cell for each column, of any origin.
        under: header → header of the column below whose cells its own are put, where the table
            would be too wide otherwise.
        box: how a table is drawn.
    """
    console = stdout()
    table = _Table(columns, [[_safe(cell) for cell in row] for row in rows]).without_nothing()
    if table.widths(console.width) is None:
        stacked = table.stacked(under)
        table = table if stacked.widths(console.width) is None else stacked
    if (widths := table.widths(console.width)) is None:
        _print_blocks(console, table)
    else:
        console.print(table.drawn(widths, box))


def _safe(cell: str) -> str:
    return "\n".join(map(printable, cell.split("\n")))


class _Table:
    """Columns and the cells below them."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        self.columns = columns
        self.rows = rows

    def of(self, kept: Sequence[int]) -> "_Table":
        rows = [[row[i] for i in kept] for row in self.rows]
        return _Table([self.columns[i] for i in kept], rows)

    def without_nothing(self) -> "_Table":
        positions = range(len(self.columns))
        return self.of(
            [i for i in positions if not i or any(row[i] not in _NOTHING for row in self.rows)]
        )

    def stacked(self, under: Mapping[str, str]) -> "_Table":
        names = [str(column.header) for column in self.columns]
        pairs = {
            names.index(lower): names.index(upper)
            for lower, upper in under.items()
            if lower in names and upper in names
        }
        columns, rows = list(self.columns), [list(row) for row in self.rows]
        for lower, upper in pairs.items():
            header = f"{names[upper]}\n{names[lower]}"
            columns[upper] = replace(columns[upper], header=header)
            for row in rows:
                row[upper] += "" if row[lower] in _NOTHING else f"\n{row[lower]}"
        return _Table(columns, rows).of([i for i in range(len(columns)) if i not in pairs])

    def widths(self, width: int) -> list[int] | None:
        """How wide each column is; None when a word, a number or a short text would be cut."""
        measured = [_measured(column, self._cells(i)) for i, column in enumerate(self.columns)]
        # A space on both sides of each cell, and a line before, between and behind the columns.
        room = width - sum(least for least, _ in measured) - 3 * len(measured) - 1
        return None if room < 0 else _filled(self.columns, measured, room)

    def _cells(self, position: int) -> list[str]:
        return [str(self.columns[position].header), *(row[position] for row in self.rows)]

    def drawn(self, widths: Sequence[int], box: Box) -> Table:
        table = Table(box=box)
        for column, width in zip(self.columns, widths, strict=True):
            table.add_column(column.header, justify=column.justify, width=width, overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        return table


def _measured(column: Column, cells: Sequence[str]) -> tuple[int, int]:
    """The least and the most cells that a column can do with."""
    line = max(cell_len(line) for cell in cells for line in cell.split("\n"))
    if column.no_wrap:
        return line, line
    word = max(cell_len(word) for cell in cells for word in cell.split() or [""])
    return min(line, column.min_width or word), line


def _filled(columns: Sequence[Column], measured: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Share the room: first to what lacks little, and to texts last, so that few are broken."""
    widths = [least for least, _ in measured]
    lacking = [most - least for least, most in measured]
    in_turn = sorted(range(len(columns)), key=lambda i: (_is_text(columns[i]), lacking[i]))
    for turn, i in enumerate(in_turn):
        rivals = sum(_is_text(columns[j]) is _is_text(columns[i]) for j in in_turn[turn:])
        more = min(lacking[i], room // rivals)
        widths[i] += more
        room -= more
    return widths


def _is_text(column: Column) -> bool:
    return column.min_width is not None


def _print_blocks(console: Console, table: _Table) -> None:
    for row in table.rows:
        block = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
        for column, cell in zip(table.columns, row, strict=True):
            if cell not in _NOTHING:
                block.add_row(column.header, cell)
        console.print(block)
        console.print()
