"""Row 7: rule learners of others, on the columns that our search has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata

import numpy as np
import numpy.typing as npt

from rule_store.mining.answers import Answer, Said
from rule_store.mining.candidates import candidates
from rule_store.mining.columns import columns
from rule_store.mining.table import LabelledEvidence
from tests.benchmarks.mining.bench import Bench
from tests.benchmarks.mining.cache import digest_of
from tests.benchmarks.mining.figures import f1
from tests.benchmarks.mining.lines import Bar, Figure, Line, Missing
from tests.benchmarks.mining.mined_json import Fields
from tests.benchmarks.mining.outer import OuterFold
from tests.benchmarks.mining.peer_learners import PEERS, Flags, OutOfTime, at_most, quietly
from tests.benchmarks.mining.training import Knowledge, Training

ROW = 7
TITLE = (
    "Rule learners of others, weighted F1: so many of our candidate columns as stand in "
    "parentheses, those that chi² puts first on the training part; first seed"
)

FIT_S = 20.0
_KNOWN = {"intent": ".548", "scene": ".612"}
_AHEAD = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One learner on one outer fold."""

    learner: str
    training: Training
    outer: OuterFold

    @property
    def digest(self) -> str:
        """Of the training part, the test part and the learner."""
        peer = PEERS[self.learner]
        name = f"{peer.package} {metadata.version(peer.package)}"
        tested = replace(self.training, examples=self.outer.test)
        parts = (self.training.digest, tested.digest, self.learner)
        return digest_of(*parts, str(peer.columns), str(FIT_S), name)


def lines(bench: Bench) -> Iterator[Line]:
    for task in bench.tasks:
        for knowledge in (Knowledge.PACK, Knowledge.LABELS):
            yield from _lines(bench, task, knowledge)


def _lines(bench: Bench, task: str, knowledge: Knowledge) -> Iterator[Line]:
    best = 0.0
    for learner, peer in PEERS.items():
        bench.tell(f"{learner}, {task}, {knowledge}")
        figure, late = _figure(bench, task, knowledge, learner)
        if not isinstance(figure, Missing):
            best = max(best, figure.value)
        ripper = learner.startswith("RIPPER") and knowledge is Knowledge.LABELS
        yield Line(
            row=ROW,
            says=f"{learner} ({peer.columns}), {knowledge}"
            + (f"; {late} fits out of time" if late else ""),
            task=task,
            view="recorded",
            known=_KNOWN.get(task, "") if ripper else "",
            figure=figure,
        )
    for of, among in bench.among("recorded", task).items():
        judged = bench.judged("recorded", task, knowledge, seeds=bench.plan.seeds[:1])
        yield Line(
            row=ROW,
            says=f"ours, {knowledge}; bar: the best of them and {_AHEAD:.2f}",
            task=task,
            view="recorded",
            of=of,
            bar=Bar(value=best + _AHEAD) if of == "all" else None,
            figure=bench.estimate([f1(each.answers) for each in judged], among),
        )


def _figure(bench: Bench, task: str, knowledge: Knowledge, learner: str) -> tuple[Figure, int]:
    examples = bench.examples("recorded", task)
    folds = bench.outer("recorded", task, seed=bench.plan.seeds[0])
    fits = [
        Fit(learner=learner, training=bench.training(each, task, knowledge), outer=each)
        for each in folds
    ]
    answers: dict[int, Answer] = {}
    came = bench.artefacts.kept("peers", fit, fits, [each.digest for each in fits])
    for outer, fields in zip(folds, came, strict=True):
        for place, each, said in zip(outer.places, outer.test, fields["said"], strict=True):
            answers[place] = Answer(
                example_id=each.example_id,
                label=each.label,
                said=None if said is None else Said(label=said, sureness=1.0),
            )
    late = sum(fields["late"] for fields in came)
    among = np.ones(len(examples), dtype=np.bool_)
    return bench.estimate([f1([answers[place] for place in sorted(answers)])], among), late


def fit(given: Fit) -> Fields:
    """Learn each label against the rest; the likeliest is said, nothing where none is.

    Returns:
        `said` of each test example, and `late`: the labels whose fit ran out of time.
    """
    training, peer = given.training, PEERS[given.learner]
    seen, unseen = _features(training, given.outer.test)
    labels = np.array([each.label for each in training.examples])
    names = sorted(set(labels.tolist()))
    scores = np.zeros((len(unseen), len(names)))
    late = 0
    with quietly():
        chosen = _chosen(seen, labels, most=peer.columns)
        for number, name in enumerate(names):
            try:
                with at_most(FIT_S):
                    scorer = peer.learner(seen[:, chosen], labels == name)
            except OutOfTime:
                late += 1
            else:
                scores[:, number] = scorer(unseen[:, chosen])
    best = scores.argmax(axis=1).tolist()
    said = [
        names[place] if row[place] > 0 else None for place, row in zip(best, scores, strict=True)
    ]
    return {"said": said, "late": late}


def _chosen(features: Flags, labels: npt.NDArray[np.str_], *, most: int) -> npt.NDArray[np.int64]:
    from sklearn.feature_selection import chi2

    worth = np.nan_to_num(chi2(features, labels)[0])
    return np.argsort(-worth, kind="stable")[:most]


def _features(training: Training, test: tuple[LabelledEvidence, ...]) -> tuple[Flags, Flags]:
    """`[N, P]` of the training part, and of the test part; the candidates are the former's."""
    predicates = candidates(
        training.examples, training.lexicon, training.miner.candidates, training.written
    )

    def bits(examples: tuple[LabelledEvidence, ...]) -> Flags:
        words = columns(
            [each.evidence for each in examples],
            predicates,
            lexicon=training.lexicon,
            names=[each.example_id for each in examples],
        )
        flat = words.astype("<u8").view(np.uint8)
        rows = np.unpackbits(flat, axis=1, bitorder="little", count=len(examples))
        return rows.T.astype(np.bool_)

    return bits(training.examples), bits(test)
