"""Row 3: rules that are much believed in, and how often they are right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.benchmarks.mining.bench import ALL, Bench
from tests.benchmarks.mining.figures import firing_precision
from tests.benchmarks.mining.judged import Round
from tests.benchmarks.mining.lines import Bar, Line, Measured
from tests.benchmarks.mining.training import Knowledge

ROW = 3
TITLE = "Rules of reliability ≥ .9: precision on outer test parts (¹ by training precision)"

BELIEVED = 0.9
_KNOWN = {"intent": ".72 ¹", "scene": ".77 ¹"}
_BAR = Bar(value=0.90)


def lines(bench: Bench) -> Iterator[Line]:
    for task in bench.tasks:
        for view in bench.views(task):
            rounds = bench.rounds(view, task, Knowledge.PACK)
            alone = bench.rounds(view, task, Knowledge.LABELS)
            for says, judged in (
                ("mined rules", [each.of_mined_rules() for each in rounds]),
                ("mined rules and the pack's", rounds),
                ("mined with labels alone", alone),
            ):
                for of, among in bench.among(view, task).items():
                    yield Line(
                        row=ROW,
                        says=says,
                        task=task,
                        view=view,
                        of=of,
                        known=_KNOWN.get(task, "") if view == "recorded" else "",
                        bar=_BAR if view == "recorded" else None,
                        figure=bench.estimate(
                            [firing_precision(each, least=BELIEVED) for each in judged], among
                        ),
                    )
                yield Line(
                    row=ROW,
                    says=f"{says}: their share of the firings",
                    task=task,
                    view=view,
                    of=ALL,
                    figure=Measured(value=_share(judged)),
                )
                yield Line(
                    row=ROW,
                    says=f"{says}: such firings a seed",
                    task=task,
                    view=view,
                    of=ALL,
                    figure=Measured(value=_firings(judged), digits=0),
                )


def _firings(judged: Sequence[Round]) -> float:
    """Mean over the seeds."""
    counts = [int((each.reliability >= BELIEVED).sum()) for each in judged]
    return sum(counts) / len(counts)


def _share(judged: Sequence[Round]) -> float:
    given = sum(len(each.firings) for each in judged)
    return _firings(judged) * len(judged) / max(1, given)
