"""Answers: what rules alone say of held-out examples, and how good that is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rule_store.decision import cast_votes, settle, weigh_labels
from rule_store.mining.mined import Mined
from rule_store.reliability import wilson_bound
from rule_store.rules import Answered, Evaluation, Rule

# How far below the share that came right the threshold is chosen, in standard errors: the best of
# many thresholds was also lucky, and on new examples falls short by about a point.
CAUTION = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A label, and how sure it is: comparable among answers made in one way only."""

    label: str
    sureness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was said of an example whose label is known; None is an abstention."""

    example_id: str
    label: str
    said: Said | None

    @property
    def right(self) -> bool:
        return self.said is not None and self.said.label == self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Selective:
    """What comes of answering only when sure enough.

    answer_at: least sureness; infinite when nothing is answered.
    answered_share: of the questions.
    precision: share of the answers that are right; 1 when there are none.
    """

    answer_at: float
    answered_share: float
    precision: float


Decider = Callable[[Sequence[Rule], Mapping[str, float]], Said | None]
"""What is said, from the fired rules and a map of rule id to reliability."""


def by_votes(fired: Sequence[Rule], reliability: Mapping[str, float]) -> Said | None:
    """The label that `weigh_labels` gives most, of equals the first; what it gives is the sureness.

    So rules alone answer where there is no model.

    Raises:
        ReliabilityMissing: a rule fired that `reliability` does not hold.
    """
    weighed = weigh_labels(cast_votes(fired, reliability))
    if not weighed:
        return None
    best = max(weighed, key=weighed.__getitem__)
    return Said(label=best, sureness=weighed[best])


def by_settling(fired: Sequence[Rule], reliability: Mapping[str, float]) -> Said | None:
    """What `settle` makes of them: rules that disagree abstain; the best reliability is sureness.

    Raises:
        ReliabilityMissing: a rule fired that `reliability` does not hold.
    """
    evaluation = Evaluation(fired=tuple(fired), undecided=())
    verdict = settle(evaluation, reliability=reliability, answer_at=0.0)
    if isinstance(verdict, Answered):
        return Said(label=verdict.label, sureness=verdict.reliability)
    return None


def held_out_answers(mined: Mined, decider: Decider = by_votes) -> tuple[Answer, ...]:
    """What the rules chosen without an example's fold say of it, for every example."""
    rules = [{rule.id: rule for rule in judged.rules} for judged in mined.by_fold]
    values = [judged.values() for judged in mined.by_fold]
    return tuple(
        Answer(
            example_id=each.example_id,
            label=each.label,
            said=decider([rules[each.fold][rule_id] for rule_id in each.rules], values[each.fold]),
        )
        for each in mined.votes
    )


def choose_threshold(
    answers: Sequence[Answer], *, precision: float, caution: float = CAUTION
) -> Selective:
    """The least sureness to answer at so that enough answers are right, careful of chance.

    Args:
        answers: of held-out examples.
        precision: share of the answers that shall be right.
        caution: standard errors by which what came right is taken lower (Wilson's bound).

    Returns:
        The threshold with the most answers, with what came of it on these examples.
    """
    said = [(each.said.sureness, each.right) for each in answers if each.said is not None]
    said.sort(key=lambda pair: -pair[0])
    best = Selective(answer_at=math.inf, answered_share=0.0, precision=1.0)
    right = given = 0
    for sureness, equals in groupby(said, key=lambda pair: pair[0]):
        came = [hit for _, hit in equals]
        right, given = right + sum(came), given + len(came)
        if wilson_bound(right, given, z=caution) >= precision:
            best = Selective(
                answer_at=sureness,
                answered_share=given / len(answers),
                precision=right / given,
            )
    return best


def at_threshold(answers: Sequence[Answer], answer_at: float) -> Selective:
    """What comes of a threshold that was chosen by other examples."""
    given = [each for each in answers if each.said and each.said.sureness >= answer_at]
    right = sum(each.right for each in given)
    return Selective(
        answer_at=answer_at,
        answered_share=len(given) / len(answers) if answers else 0.0,
        precision=right / len(given) if given else 1.0,
    )


def weighted_f1(answers: Sequence[Answer]) -> float:
    """F1 of each label, weighed by its share of the examples; abstaining misses the label.

    >>> def answer(label, said):
    ...     said = Said(label=said, sureness=1.0) if said else None
    ...     return Answer(example_id="", label=label, said=said)
    >>> weighted_f1([answer("a", "a"), answer("a", "b"), answer("b", "b"), answer("b", None)])
    0.5833333333333333
    """
    said = [None if each.said is None else each.said.label for each in answers]
    return f1_of([each.label for each in answers], said)


def f1_of(right: Sequence[str], said: Sequence[str | None]) -> float:
    """Weighted F1 of plain labels; None is an abstention.

    >>> f1_of(["a", "a", "b", "b"], ["a", "a", "b", None])
    0.8333333333333333
    """
    true, claimed = Counter(right), Counter(said)
    hits = Counter(label for label, each in zip(right, said, strict=True) if label == each)
    total = sum(n * 2 * hits[label] / (n + claimed[label]) for label, n in true.items())
    return total / len(right) if right else 0.0
