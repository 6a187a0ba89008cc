"""Row 8: how long mining takes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.benchmarks.mining.bench import Bench
from tests.benchmarks.mining.lines import Bar, Line, Measured
from tests.benchmarks.mining.training import Knowledge, Training, mine

ROW = 8
TITLE = "Seconds for both tasks, all examples, nothing beside it and nothing from a cache"

_MINING_S = 60.0
_JUDGED_S = 90.0


def lines(bench: Bench) -> Iterator[Line]:
    trainings = [
        Training.of(
            bench.examples("recorded", task), pack=bench.pack, task=task, knowledge=Knowledge.PACK
        )
        for task in bench.tasks
    ]
    started_s = time.perf_counter()
    for each in trainings:
        each.rule_miner(each.examples)
    mined_s = time.perf_counter()
    for each in trainings:
        mine(each)
    judged_s = time.perf_counter()
    for says, seconds, most in (
        ("mined", mined_s - started_s, _MINING_S),
        ("mined, with reliabilities", judged_s - mined_s, _JUDGED_S),
    ):
        yield Line(
            row=ROW,
            says=says,
            view="recorded",
            bar=Bar(value=most, kind="most"),
            figure=Measured(value=seconds, digits=1),
        )
