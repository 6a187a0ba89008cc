"""Row 4: whether rules are right as often as their reliabilities say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rule_store.decision import VOTE_RELIABILITY_MAX, VOTE_RELIABILITY_MIN
from rule_store.mining.calibration import perfect_ece
from streams.datasets import View
from tests.benchmarks.mining.bench import ALL, Bench
from tests.benchmarks.mining.figures import firing_ece, firing_log_loss
from tests.benchmarks.mining.intervals import Flags, Floats, Statistic, estimate
from tests.benchmarks.mining.judged import Round
from tests.benchmarks.mining.lines import Bar, Line
from tests.benchmarks.mining.training import Knowledge

ROW = 4
TITLE = (
    "Calibration of reliabilities over firings on outer test parts: ECE, at most what perfect ones "
    "stay below in 95 % of cases; log-loss, less than that of training precisions"
)


def lines(bench: Bench) -> Iterator[Line]:
    for task in bench.tasks:
        for view in bench.views(task):
            rounds = bench.rounds(view, task, Knowledge.PACK)
            mined = [each.of_mined_rules() for each in rounds]
            alone = bench.rounds(view, task, Knowledge.LABELS)
            yield from _lines(bench, view, task, "mined rules", mined)
            yield from _lines(bench, view, task, "mined rules and the pack's", rounds)
            yield from _lines(bench, view, task, "mined with labels alone", alone)


def _lines(
    bench: Bench, view: View, task: str, says: str, judged: Sequence[Round]
) -> Iterator[Line]:
    for of, among in bench.among(view, task).items():
        yield Line(
            row=ROW,
            says=f"{says}: ECE",
            task=task,
            view=view,
            of=of,
            bar=Bar(value=_perfect(judged, among), kind="most"),
            figure=bench.estimate([firing_ece(each) for each in judged], among),
        )
    everything = bench.among(view, task)[ALL]
    ours = [_loss(each, each.reliability) for each in judged]
    theirs = [_loss(each, each.before) for each in judged]
    loss, before = (estimate(each, everything, draws=0).value for each in (ours, theirs))
    yield Line(
        row=ROW,
        says=f"{says}: log-loss {loss:.2f} − {before:.2f}",
        task=task,
        view=view,
        bar=Bar(value=0.0, kind="most") if view == "recorded" else None,
        figure=bench.estimate(list(map(_less, ours, theirs)), everything),
    )


def _perfect(judged: Sequence[Round], among: Flags) -> float:
    """The quantile that a seed's ECE stays below, mean over the seeds."""
    quantiles = []
    for number, each in enumerate(judged):
        places = each.places
        chosen = among[places]
        quantiles.append(
            perfect_ece(each.reliability[chosen], seed=number, together=places[chosen])
        )
    return sum(quantiles) / len(quantiles)


def _less(ours: Statistic, theirs: Statistic) -> Statistic:
    def of(times: Floats) -> float:
        return ours(times) - theirs(times)

    return of


def _loss(judged: Round, said: Floats) -> Statistic:
    """Clipped as votes clip it: a training precision of 1 would otherwise cost without end."""
    return firing_log_loss(judged, np.clip(said, VOTE_RELIABILITY_MIN, VOTE_RELIABILITY_MAX))
