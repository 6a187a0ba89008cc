"""Judged: what the rules of each outer fold say of its test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rule_store.compiled import CompiledRules
from rule_store.lexicon import Lexicon
from rule_store.mining.answers import Answer, by_votes, choose_threshold, held_out_answers
from rule_store.mining.mined import JudgedRules, Mined
from rule_store.mining.table import LabelledEvidence
from rule_store.rules import Rule, RuleSet
from tests.benchmarks.mining.outer import OuterFold
from tests.benchmarks.mining.training import Training

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

PRECISION = 0.95
"""Share of the answers that shall be right, when only the surest are given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A chosen rule fired on a test example.

    place: of the example among all.
    before: the rule's precision on the examples that it was chosen by.
    mined: it is not the pack's own.
    """

    place: int
    reliability: float
    before: float
    mined: bool
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Round:
    """One outer seed: every example judged once, by rules that its fold took no part in.

    In the shapes, `N` is the number of examples and `F` of firings.

    answers, sure: N each, in the order of the examples; `sure` abstains below the threshold that
        was chosen on the training part.
    """

    answers: tuple[Answer, ...]
    sure: tuple[Answer, ...]
    firings: tuple[Firing, ...]

    @property
    def places(self) -> Places:
        """`[F]`"""
        return np.array([each.place for each in self.firings], dtype=np.int64)

    @property
    def reliability(self) -> Floats:
        """`[F]`"""
        return np.array([each.reliability for each in self.firings], dtype=np.float64)

    @property
    def before(self) -> Floats:
        """`[F]`"""
        return np.array([each.before for each in self.firings], dtype=np.float64)

    @property
    def right(self) -> Floats:
        """`[F]`"""
        return np.array([each.right for each in self.firings], dtype=np.float64)

    def of_mined_rules(self) -> Round:
        return replace(self, firings=tuple(each for each in self.firings if each.mined))


def judge_round(
    folds: Sequence[OuterFold], trainings: Sequence[Training], mined: Sequence[Mined]
) -> Round:
    """Put the rules of each outer fold to its test part.

    Args:
        folds: of one seed; together they hold every example once.
        trainings: theirs.
        mined: what came of these.
    """
    answers: dict[int, Answer] = {}
    sure: dict[int, Answer] = {}
    firings: list[Firing] = []
    for outer, training, each in zip(folds, trainings, mined, strict=True):
        answer_at = choose_threshold(held_out_answers(each), precision=PRECISION).answer_at
        own = {rule.id for rule in training.written}
        given = answers_of(each.chosen, outer.test, lexicon=training.lexicon)
        for place, (answer, fired) in zip(outer.places, given, strict=True):
            answers[place] = answer
            sure[place] = if_sure(answer, answer_at)
            firings += [_firing(place, rule, answer, each.chosen, own) for rule in fired]
    return Round(
        answers=tuple(answers[place] for place in sorted(answers)),
        sure=tuple(sure[place] for place in sorted(sure)),
        firings=tuple(firings),
    )


def answers_of(
    judged: JudgedRules, examples: Sequence[LabelledEvidence], *, lexicon: Lexicon
) -> list[tuple[Answer, tuple[Rule, ...]]]:
    """What rules answer by votes, with those that fired, for each example."""
    values = judged.values()
    found = []
    for each, fired in zip(examples, fired_on(judged.rules, examples, lexicon), strict=True):
        said = by_votes(fired, values)
        found.append((Answer(example_id=each.example_id, label=each.label, said=said), fired))
    return found


def fired_on(
    rules: Sequence[Rule], examples: Sequence[LabelledEvidence], lexicon: Lexicon
) -> list[tuple[Rule, ...]]:
    """Which rules fire on each example, in the order of the rules, as the live engine says it."""
    if not rules:
        return [()] * len(examples)
    rule_set = RuleSet(task=rules[0].task, rules=tuple(rules))
    compiled = CompiledRules.of(rule_set, lexicon)
    order = {rule.id: place for place, rule in enumerate(rules)}
    return [
        tuple(sorted(compiled.evaluate(each.evidence).fired, key=lambda rule: order[rule.id]))
        for each in examples
    ]


def if_sure(answer: Answer, answer_at: float) -> Answer:
    if answer.said is not None and answer.said.sureness >= answer_at:
        return answer
    return replace(answer, said=None)


def _firing(place: int, rule: Rule, answer: Answer, judged: JudgedRules, own: set[str]) -> Firing:
    counts = judged.training[rule.id]
    return Firing(
        place=place,
        reliability=judged.reliability[rule.id].value,
        before=counts.right / max(1, counts.right + counts.wrong),
        mined=rule.id not in own,
        right=rule.label == answer.label,
    )
