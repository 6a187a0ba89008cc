"""Results of the swap benchmark → a table for people."""

from statistics import median

from streams.bench.swaps import IN_FORCE_MOST_S, Row, SwapsResults
from streams.bench.tables import Grid
from streams.loop_stalls import TICK_S

_HEAD = (
    "rules",
    "release kB",
    "quiet ms",
    "stall ms",
    "own quiet ms",
    "own stall ms",
    "in force, median s",
    "longest s",
)


def grid(results: SwapsResults) -> Grid:
    """A line for each size of release; what missed its bar says so."""
    return Grid(
        title="Swapping the release under load",
        head=_HEAD,
        lines=[_line(row) for row in results.rows],
    )


def _line(row: Row) -> list[str]:
    return [
        f"{row.rules:,}",
        f"{row.release_bytes / 1000:,.0f}",
        f"{row.quiet.any_ms:.0f}",
        f"{row.swapping.any_ms:.0f}",
        f"{row.quiet.own_ms:.0f}",
        _judged(row.swapping.own_ms, row.stall_most_ms, digits=0),
        f"{median(row.in_force_s):.2f}",
        _judged(max(row.in_force_s), IN_FORCE_MOST_S, digits=2),
    ]


def _judged(value: float, most: float, *, digits: int) -> str:
    return f"{value:.{digits}f} (≤{most:g}){' missed' if value > most else ''}"


def notes(results: SwapsResults) -> list[str]:
    """What must be known beside the table."""
    found = [
        f"stall: longest time between two ticks of {TICK_S * 1e3:g} ms on the event loop; own: "
        "without the time its thread waited for a processor; quiet: without a swap",
    ]
    found += [f"{name}: {text}" for name, text in results.machine.items()]
    return found + [f"missed: {sentence}" for row in results.rows for sentence in row.missed()]
