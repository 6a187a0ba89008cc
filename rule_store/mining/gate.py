"""Gate: whether a candidate release may take the place of the active one, and why not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rule_store.mining.answers import Answer, Said, weighted_f1
from rule_store.mining.bootstrap import Differences, paired_differences
from rule_store.mining.calibration import ece, perfect_ece

# One in twenty: how often chance alone may refuse a release that is as good.
_CHANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """What a release says of a question: a label, or None to abstain.

    confidence: of the label, in [0, 1].
    by_rules: whether rules answered without the model.
    """

    label: str | None
    confidence: float
    by_rules: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A question of the admission split, its right label, and what both releases say of it.

    active: None when nothing is in force.
    """

    example_id: str
    task: str
    label: str
    candidate: GateAnswer
    active: GateAnswer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSize:
    """What a release takes: its rules, of all tasks, and its bytes."""

    rules: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """What a candidate must keep to.

    least_examples: of the admission split; by fewer nothing is told.
    margin: weighted F1 that a task may have lost at worst, as far as the examples can tell.
    label_support: examples by which a label is judged by itself.
    most_rules, most_bytes: of the release.
    seed: of everything drawn.
    """

    least_examples: int = 20
    margin: float = 0.02
    label_support: int = 10
    most_rules: int = 5000
    most_bytes: int = 8 * 1024 * 1024
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at, and what was found, in a sentence."""

    name: str
    passed: bool
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """All that was looked at."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def refusals(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.passed)


def judge_candidate(
    compared: Sequence[Compared], *, size: ReleaseSize, settings: GateSettings
) -> GateReport:
    """Compare a candidate with the active release on examples that neither was made from.

    With nothing in force, a candidate passes when its answers are right more often than those of
    somebody who always gives the commonest label.

    Args:
        compared: the admission split; either all questions have an active answer or none has.
        size: of the candidate.
        settings: what it must keep to.
    """
    by_task: defaultdict[str, list[Compared]] = defaultdict(list)
    for each in compared:
        by_task[each.task].append(each)
    checks = [_enough(compared, settings), _small(size, settings), _calibrated(compared, settings)]
    for task, rows in sorted(by_task.items()):
        if all(row.active is not None for row in rows):
            checks.extend(_not_worse(task, rows, settings))
        else:
            checks.append(_better_than_guessing(task, rows))
    return GateReport(checks=tuple(checks))


def _enough(compared: Sequence[Compared], settings: GateSettings) -> Check:
    count, least = len(compared), settings.least_examples
    if count < least:
        said = f"{count} in the admission split, {least} are asked for: label more"
        return Check(name="examples", passed=False, said=said)
    tasks = Counter(each.task for each in compared)
    told = ", ".join(f"{number} of {task}" for task, number in sorted(tasks.items()))
    return Check(name="examples", passed=True, said=f"{told} in the admission split")


def _small(size: ReleaseSize, settings: GateSettings) -> Check:
    passed = size.rules <= settings.most_rules and size.bytes <= settings.most_bytes
    said = (
        f"{size.rules} rules in {size.bytes} bytes, {settings.most_rules} in "
        f"{settings.most_bytes} are allowed"
    )
    return Check(name="size", passed=passed, said=said)


def _calibrated(compared: Sequence[Compared], settings: GateSettings) -> Check:
    """What rules answer must be right as often as they say, as far as the examples can tell."""
    answered = [each for each in compared if each.candidate.by_rules]
    confidence = [each.candidate.confidence for each in answered]
    found = ece(confidence, [each.candidate.label == each.label for each in answered])
    bound = perfect_ece(confidence, seed=settings.seed, share=1 - _CHANCE)
    said = (
        f"{len(answered)} answers by rules, on average {found:.3f} from their reliability (ECE); "
        f"honest ones stay within {bound:.3f} in 19 of 20 cases"
    )
    return Check(name="calibration", passed=found <= bound, said=said)


def _not_worse(task: str, rows: Sequence[Compared], settings: GateSettings) -> Iterator[Check]:
    first = [_label(row.active) for row in rows]
    second = [row.candidate.label for row in rows]
    right = [row.label for row in rows]
    differences = paired_differences(right, first, second, seed=settings.seed)
    yield _overall(task, (f1_of(right, first), f1_of(right, second)), differences, settings)
    yield _labels(task, Counter(right), differences, settings)


def _overall(
    task: str, f1: tuple[float, float], differences: Differences, settings: GateSettings
) -> Check:
    low = float(np.quantile(differences.weighted, _CHANCE))
    passed = low > -settings.margin
    said = (
        f"weighted F1 {f1[1]:.3f}, {f1[0]:.3f} of the active one; the difference is at least "
        f"{low:+.3f} in 19 of 20 cases, above {-settings.margin:+.3f} is asked for"
    )
    if not passed and f1[1] >= f1[0]:
        said += ": too few examples to tell; label more, or allow a wider margin"
    return Check(name=f"{task}, all labels", passed=passed, said=said)


def _labels(
    task: str, support: Mapping[str, int], differences: Differences, settings: GateSettings
) -> Check:
    """No label may be clearly worse; the more labels, the clearer it must be (Bonferroni)."""
    judged = [
        place
        for place, label in enumerate(differences.labels)
        if support[label] >= settings.label_support
    ]
    share = 1 - _CHANCE / max(1, len(judged))
    high = {
        differences.labels[place]: float(np.quantile(differences.by_label[:, place], share))
        for place in judged
    }
    worse = [f"{label} (F1 {value:+.3f} at best)" for label, value in high.items() if value < 0]
    said = f"with {settings.label_support} examples or more: {len(judged)}, none clearly worse"
    if worse:
        said = f"clearly worse than with the active one: {', '.join(worse)}"
    return Check(name=f"{task}, each label", passed=not worse, said=said)


def _better_than_guessing(task: str, rows: Sequence[Compared]) -> Check:
    answered = [row for row in rows if row.candidate.label is not None]
    right = sum(row.candidate.label == row.label for row in answered)
    commonest = max(Counter(row.label for row in rows).values()) / len(rows)
    said = (
        f"nothing is in force; {right} of {len(answered)} answers are right, and always giving "
        f"the commonest label would be in {commonest:.3f} of the cases"
    )
    passed = bool(answered) and right / len(answered) >= commonest
    return Check(name=f"{task}, all labels", passed=passed, said=said)


def f1_of(right: Sequence[str], answers: Sequence[str | None]) -> float:
    """Weighted F1; abstaining misses the label.

    >>> f1_of(["a", "a", "b", "b"], ["a", "a", "b", None])
    0.8333333333333333
    """
    return weighted_f1(
        [
            Answer(
                example_id="",
                label=label,
                said=None if answer is None else Said(label=answer, sureness=1.0),
            )
            for label, answer in zip(right, answers, strict=True)
        ]
    )


def _label(answer: GateAnswer | None) -> str | None:
    return None if answer is None else answer.label
