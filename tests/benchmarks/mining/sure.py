"""Row 5: how many questions are answered when 95 % of the answers shall be right."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.mining.bench import Bench
from tests.benchmarks.mining.figures import answered, precision
from tests.benchmarks.mining.lines import Bar, Line
from tests.benchmarks.mining.training import Knowledge

ROW = 5
TITLE = "Only the surest answers: 95 % of them right on held-out examples of the training part"

_KNOWN = {"intent": ".31", "scene": "about .25"}
_SHARES = {"intent": Bar(value=0.38), "scene": Bar(value=0.33)}
_PRECISION = Bar(value=0.94)


def lines(bench: Bench) -> Iterator[Line]:
    for task in bench.tasks:
        for view in bench.views(task):
            barred = view == "recorded"
            for knowledge in (Knowledge.PACK, Knowledge.LABELS):
                judged = bench.rounds(view, task, knowledge)
                shown = barred and knowledge is Knowledge.PACK
                for of, among in bench.among(view, task).items():
                    yield Line(
                        row=ROW,
                        says=f"mined with {knowledge}: answered",
                        task=task,
                        view=view,
                        of=of,
                        known=_KNOWN.get(task, "") if shown else "",
                        bar=_SHARES.get(task) if shown else None,
                        figure=bench.estimate([answered(each.sure) for each in judged], among),
                    )
                    yield Line(
                        row=ROW,
                        says=f"mined with {knowledge}: precision",
                        task=task,
                        view=view,
                        of=of,
                        bar=_PRECISION if shown else None,
                        figure=bench.estimate([precision(each.sure) for each in judged], among),
                    )
