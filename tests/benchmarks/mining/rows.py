"""Rows: what can be measured, by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tests.benchmarks.mining import (
    believed,
    calibrated,
    fewer_labels,
    pack_alone,
    peers,
    rules_alone,
    searches,
    sure,
    timing,
    utterances,
)
from tests.benchmarks.mining.bench import Bench
from tests.benchmarks.mining.lines import Line

_MODULES = (
    rules_alone,
    pack_alone,
    believed,
    calibrated,
    sure,
    searches,
    peers,
    timing,
    fewer_labels,
    utterances,
)

ROWS: Mapping[int, Callable[[Bench], Iterator[Line]]] = {each.ROW: each.lines for each in _MODULES}
TITLES: Mapping[int, str] = {each.ROW: each.TITLE for each in _MODULES}


def measure(bench: Bench) -> list[Line]:
    """Every line of the rows that were asked for, in order."""
    found: list[Line] = []
    for number in bench.plan.rows or tuple(ROWS):
        bench.tell(f"row {number}: {TITLES[number]}")
        found += ROWS[number](bench)
    return found
