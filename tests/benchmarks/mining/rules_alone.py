"""Row 1: what rules alone answer, by votes."""

from __future__ import annotations

from collections.abc import Iterator

from streams.datasets import View
from tests.benchmarks.mining.bench import Bench
from tests.benchmarks.mining.figures import f1
from tests.benchmarks.mining.lines import Bar, Line
from tests.benchmarks.mining.training import Knowledge

ROW = 1
TITLE = "Rules alone: weighted F1, an abstention is wrong"

_KNOWN = {"intent": ".65", "scene": ".65–.68"}
_BARS = {"intent": Bar(value=0.68), "scene": Bar(value=0.70)}


def lines(bench: Bench) -> Iterator[Line]:
    for task in bench.tasks:
        for view in bench.views(task):
            for knowledge in Knowledge:
                yield from _lines(bench, view, task, knowledge)


def _lines(bench: Bench, view: View, task: str, knowledge: Knowledge) -> Iterator[Line]:
    figures = [f1(each.answers) for each in bench.rounds(view, task, knowledge)]
    for of, among in bench.among(view, task).items():
        judged = view == "recorded" and knowledge is Knowledge.PACK
        yield Line(
            row=ROW,
            says=f"mined with {knowledge}",
            task=task,
            view=view,
            of=of,
            known=_KNOWN.get(task, "") if judged else "",
            bar=_BARS.get(task) if judged else None,
            figure=bench.estimate(figures, among),
        )
