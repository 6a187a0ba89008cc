"""Row 9: a quarter of the labels, with and without what needs none."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from rule_store.mining.described import described_rules
from rule_store.mining.self_training import mine_with_unlabelled
from rule_store.mining.table import LabelledEvidence
from rule_store.mining.unlabelled import UnlabelledEvidence
from streams.datasets import View
from tests.benchmarks.mining.bench import Bench
from tests.benchmarks.mining.cache import digest_of
from tests.benchmarks.mining.figures import f1
from tests.benchmarks.mining.intervals import Floats, Statistic
from tests.benchmarks.mining.judged import Round, judge_round
from tests.benchmarks.mining.lines import Bar, Line, Measured
from tests.benchmarks.mining.mined_json import Fields, fields_of, mined_of
from tests.benchmarks.mining.outer import OuterFold
from tests.benchmarks.mining.training import Knowledge, Training

ROW = 9
TITLE = "A quarter of the labels: weighted F1"

TASK = "intent"
_ONE_IN = 4
_BAR = Bar(value=0.06)
_CHANNEL = "last"
_NAMES = {
    Knowledge.LABELS: "labels alone",
    Knowledge.LEXICON: "labels and lexicon",
    Knowledge.PACK: "labels, lexicon and rules of the pack",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A training with few labels, and its examples that have none."""

    training: Training
    rest: tuple[UnlabelledEvidence, ...]

    @property
    def digest(self) -> str:
        """Of the training and of what the rest says."""
        said = [
            [
                each.example_id,
                sorted(each.evidence.texts.items()),
                sorted(each.evidence.facts.items()),
            ]
            for each in self.rest
        ]
        return digest_of(self.training.digest, json.dumps(said))


def lines(bench: Bench) -> Iterator[Line]:
    if TASK in bench.tasks:
        for view in bench.views(TASK):
            yield from _lines(bench, view)


def _lines(bench: Bench, view: View) -> Iterator[Line]:
    seeds = bench.seeds(view)
    plain = [_mined(bench, view, Knowledge.LABELS, seed) for seed in seeds]
    yield from _scores(bench, view, _NAMES[Knowledge.LABELS], plain)
    for knowledge in (Knowledge.LEXICON, Knowledge.PACK):
        says = _NAMES[knowledge]
        known = [_mined(bench, view, knowledge, seed) for seed in seeds]
        yield from _scores(bench, view, says, known)
        trained = [_self_trained(bench, view, knowledge, seed) for seed in seeds]
        says += " and the unlabelled rest"
        yield from _scores(bench, view, says, [judged for judged, _ in trained])
        pairs = [(before, after) for before, (after, _) in zip(plain, trained, strict=True)]
        for of, among in bench.among(view, TASK).items():
            yield Line(
                row=ROW,
                says=f"{says}, less labels alone",
                task=TASK,
                view=view,
                of=of,
                bar=_BAR if view == "recorded" else None,
                figure=bench.estimate([_gain(*pair) for pair in pairs], among),
            )
        yield Line(
            row=ROW,
            says=f"{says}: outer folds with self-training on, a seed",
            task=TASK,
            view=view,
            figure=Measured(value=sum(count for _, count in trained) / len(trained), digits=1),
        )


def _scores(bench: Bench, view: View, says: str, rounds: Sequence[Round]) -> Iterator[Line]:
    for of, among in bench.among(view, TASK).items():
        figure = bench.estimate([f1(each.answers) for each in rounds], among)
        yield Line(row=ROW, says=says, task=TASK, view=view, of=of, figure=figure)


def quarter(examples: Sequence[LabelledEvidence], *, seed: int) -> tuple[LabelledEvidence, ...]:
    """One in four of each label, rounded up, by a hash of their ids; in their order."""
    of_label: defaultdict[str, list[LabelledEvidence]] = defaultdict(list)
    for each in sorted(examples, key=lambda each: _hash(each.example_id, seed)):
        of_label[each.label].append(each)
    kept = {
        each.example_id for its in of_label.values() for each in its[: ceil(len(its) / _ONE_IN)]
    }
    return tuple(each for each in examples if each.example_id in kept)


def _hash(example_id: str, seed: int) -> str:
    return hashlib.sha256(f"quarter:{seed}:{example_id}".encode()).hexdigest()


def _mined(bench: Bench, view: View, knowledge: Knowledge, seed: int) -> Round:
    folds = bench.outer(view, TASK, seed=seed)
    trainings = [_few(bench, each, knowledge, seed) for each in folds]
    return judge_round(folds, trainings, bench.artefacts.mined(trainings))


def _few(bench: Bench, outer: OuterFold, knowledge: Knowledge, seed: int) -> Training:
    whole = bench.training(outer, TASK, knowledge)
    return replace(whole, examples=quarter(whole.examples, seed=seed))


def _self_trained(bench: Bench, view: View, knowledge: Knowledge, seed: int) -> tuple[Round, int]:
    """With how many outer folds had self-training on."""
    bench.tell(f"self-training, {view}, seed {seed}")
    folds = bench.outer(view, TASK, seed=seed)
    given = [_described(bench, each, knowledge, seed) for each in folds]
    trainings = [each.training for each in given]
    came = bench.artefacts.kept("self-trained", _train, given, [each.digest for each in given])
    mined = [
        mined_of(
            fields["mined"],
            task=TASK,
            label_names=training.label_names,
            lexicon=training.lexicon,
        )
        for training, fields in zip(trainings, came, strict=True)
    ]
    return judge_round(folds, trainings, mined), sum(fields["on"] for fields in came)


def _described(bench: Bench, outer: OuterFold, knowledge: Knowledge, seed: int) -> Described:
    few = _few(bench, outer, knowledge, seed)
    labels = {label.name: label.description for label in bench.pack.tasks[TASK].labels}
    more = described_rules(TASK, labels, few.lexicon, channel=_CHANNEL, written=few.written)
    known = {each.example_id for each in few.examples}
    return Described(
        training=replace(few, written=(*few.written, *more)),
        rest=tuple(
            UnlabelledEvidence(example_id=each.example_id, evidence=each.evidence)
            for each in outer.training
            if each.example_id not in known
        ),
    )


def _train(given: Described) -> Fields:
    training = given.training
    trained = mine_with_unlabelled(
        training.rule_miner, training.examples, given.rest, held_out=training.held_out
    )
    return {"mined": fields_of(trained.mined, task=TASK), "on": trained.on}


def _gain(first: Round, second: Round) -> Statistic:
    before, after = f1(first.answers), f1(second.answers)

    def of(times: Floats) -> float:
        return after(times) - before(times)

    return of
