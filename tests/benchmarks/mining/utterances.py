"""Row 10: CLINC150, 150 intents of one utterance each, and questions out of scope."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rule_store.mining.answers import Answer, choose_threshold, held_out_answers
from rule_store.mining.mined import Mined
from rule_store.mining.table import LabelledEvidence
from streams.domain import Domain, load_domain
from tests.benchmarks.mining.bench import Bench
from tests.benchmarks.mining.corpus import read_corpus, read_unlabelled
from tests.benchmarks.mining.figures import accuracy, answered, f1, precision
from tests.benchmarks.mining.intervals import Statistic
from tests.benchmarks.mining.judged import PRECISION, answers_of, if_sure
from tests.benchmarks.mining.lines import Bar, Line, Measured, Missing
from tests.benchmarks.mining.mined_json import fields_of, mined_of
from tests.benchmarks.mining.training import Knowledge, Training, mine

ROW = 10
TITLE = "CLINC150, train and val → test; what is out of scope ought to get no answer"

NAME = "clinc150"
_TASK = "intent"
_KIND = "timed"
_MINUTES = Bar(value=10.0, kind="most")
_ANY, _SURE = "any answer", "95 % sure"


def lines(bench: Bench) -> Iterator[Line]:
    folder = bench.plan.data / NAME
    if not folder.is_dir():
        why = f"{folder} is missing: give --data"
        yield Line(row=ROW, says="skipped", figure=Missing(why=why))
        return
    pack = load_domain(NAME)
    learnt = read_corpus(folder, pack=pack, view="live", cache=bench.cache).examples[_TASK]
    ways = [Knowledge.LABELS, Knowledge.PACK]
    trainings = [
        Training.of(learnt, pack=pack, task=_TASK, knowledge=knowledge) for knowledge in ways
    ]
    for knowledge, training, (mined, seconds) in zip(
        ways, trainings, _mined(bench, trainings), strict=True
    ):
        yield Line(
            row=ROW,
            says=f"{knowledge}: minutes to mine, with reliabilities, on one core",
            bar=_MINUTES,
            figure=Measured(value=seconds / 60, digits=1),
        )
        yield from _judged(bench, pack, knowledge, training, mined)


def _judged(
    bench: Bench, pack: Domain, knowledge: Knowledge, training: Training, mined: Mined
) -> Iterator[Line]:
    folder = bench.plan.data / NAME
    test = read_corpus(folder / "test", pack=pack, view="live", cache=bench.cache).examples[_TASK]
    stray = [
        LabelledEvidence(example_id=f"oos_test-{place}", evidence=each, label="")
        for place, each in enumerate(read_unlabelled(folder / "oos_test", pack=pack, task=_TASK))
    ]
    answer_at = choose_threshold(held_out_answers(mined), precision=PRECISION).answer_at
    for says, least in ((_ANY, float("-inf")), (_SURE, answer_at)):
        inside = _answers(mined, training, test, least)
        outside = _answers(mined, training, stray, least)
        for what, statistic, count in (
            ("right, of all in scope", accuracy(inside), len(inside)),
            ("weighted F1 in scope", f1(inside), len(inside)),
            ("answered in scope", answered(inside), len(inside)),
            ("right, of answers in scope", precision(inside), len(inside)),
            ("answered out of scope, falsely", answered(outside), len(outside)),
        ):
            yield _line(bench, f"{knowledge}, {says}: {what}", statistic, count)


def _line(bench: Bench, says: str, statistic: Statistic, count: int) -> Line:
    figure = bench.estimate([statistic], np.ones(count, dtype=np.bool_))
    return Line(row=ROW, says=says, figure=figure)


def _answers(
    mined: Mined, training: Training, examples: Sequence[LabelledEvidence], least: float
) -> list[Answer]:
    given = answers_of(mined.chosen, examples, lexicon=training.lexicon)
    return [if_sure(answer, least) for answer, _ in given]


def _mined(bench: Bench, trainings: Sequence[Training]) -> Iterator[tuple[Mined, float]]:
    """With the seconds that each took."""
    digests = [training.digest for training in trainings]
    found = bench.artefacts.kept(_KIND, timed, trainings, digests)
    for training, fields in zip(trainings, found, strict=True):
        mined = mined_of(
            fields["mined"],
            task=_TASK,
            label_names=training.label_names,
            lexicon=training.lexicon,
        )
        yield mined, fields["seconds"]


def timed(training: Training) -> dict[str, Any]:
    started_s = time.perf_counter()
    mined = mine(training)
    return {
        "seconds": time.perf_counter() - started_s,
        "mined": fields_of(mined, task=training.task),
    }
