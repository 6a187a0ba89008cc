"""Gate: whether a candidate release may take the place of the active one, and why not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rule_store.mining.answers import Answer, Said, weighted_f1
from rule_store.mining.bootstrap import Differences, paired_differences
from rule_store.mining.calibration import ece, perfect_ece
from rule_store.mining.compared import Compared, GateAnswer, firings_of

# What is said of chance holds in 19 of 20 draws. It is how often chance makes honest reliabilities
# look worse than that, or a label that is as good. Of all labels together the worst of the 19 is
# asked for: there chance alone refuses the more often, the fewer the examples.
_CHANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSize:
    """What a release takes: its rules, of all tasks, and its bytes."""

    rules: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """What a candidate must keep to.

    least_examples: of the admission split; by fewer nothing is told.
    task_examples: by which a task is judged.
    margin: weighted F1 that a task may have lost at worst, as far as the examples can tell.
    tolerance: by how much reliabilities may be off beyond chance. None are exact: with examples
        enough, asking for no more than chance would refuse any.
    label_support: examples by which a label is judged by itself.
    most_rules, most_bytes: of the release.
    seed: of everything drawn.
    """

    least_examples: int = 20
    task_examples: int = 10
    margin: float = 0.02
    tolerance: float = 0.03
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
    compared: Sequence[Compared],
    *,
    size: ReleaseSize,
    settings: GateSettings,
    active_learned: bool = False,
) -> GateReport:
    """Compare a candidate with the active release on examples that neither was made from.

    With nothing in force, or an active release that may have learned from these examples, a
    candidate must be better than always giving the commonest label.

    Args:
        compared: the admission split; either all questions have an active answer or none has.
        size: of the candidate.
        settings: what it must keep to.
        active_learned: whether the active release may have learned from the split.
    """
    by_task: defaultdict[str, list[Compared]] = defaultdict(list)
    for each in compared:
        by_task[each.task].append(each)
    checks = [_enough(by_task, settings), _small(size, settings)]
    for task, rows in sorted(by_task.items()):
        if len(rows) < settings.task_examples:
            continue
        checks.append(_calibrated(task, rows, settings))
        if active_learned:
            why = "the active one may have learned from these examples"
            checks.append(_better_than_guessing(task, rows, settings, why=why))
        elif all(row.active is not None for row in rows):
            checks.extend(_not_worse(task, rows, settings))
        else:
            checks.append(_better_than_guessing(task, rows, settings, why="nothing is in force"))
    return GateReport(checks=tuple(checks))


def _enough(by_task: Mapping[str, Sequence[Compared]], settings: GateSettings) -> Check:
    count, least = sum(map(len, by_task.values())), settings.least_examples
    if count < least:
        said = f"{count} in the admission split, {least} are asked for: label more"
        return Check(name="examples", passed=False, said=said)
    told = ", ".join(f"{len(rows)} of {task}" for task, rows in sorted(by_task.items()))
    few = sorted(task for task, rows in by_task.items() if len(rows) < settings.task_examples)
    said = f"{told} in the admission split"
    if few:
        said += f"; by fewer than {settings.task_examples} not judged: {', '.join(few)}"
    return Check(name="examples", passed=len(few) < len(by_task), said=said)


def _small(size: ReleaseSize, settings: GateSettings) -> Check:
    passed = size.rules <= settings.most_rules and size.bytes <= settings.most_bytes
    said = (
        f"{size.rules} rules in {size.bytes} bytes, {settings.most_rules} in "
        f"{settings.most_bytes} are allowed"
    )
    return Check(name="size", passed=passed, said=said)


def _calibrated(task: str, rows: Sequence[Compared], settings: GateSettings) -> Check:
    """Rules must be right as often as they say, or no further off than those in force."""
    labels = [row.label for row in rows]
    mine = firings_of(labels, [row.candidate for row in rows])
    off = ece(mine.said, mine.right)
    chance = perfect_ece(
        mine.said, seed=settings.seed, share=1 - _CHANCE, together=mine.example_and_label
    )
    said = (
        f"{len(mine.said)} firings, on average {off:.3f} from their reliability (ECE); by chance "
        f"within {chance:.3f} in 19 of 20 cases, {settings.tolerance:.3f} more may be"
    )
    passed = off <= chance + settings.tolerance
    theirs = firings_of(labels, [row.active for row in rows])
    if not passed and theirs.said:
        before = ece(theirs.said, theirs.right)
        said += f"; {before:.3f} with the active one"
        passed = off <= before
    return Check(name=f"{task}, calibration", passed=passed, said=said)


def _not_worse(task: str, rows: Sequence[Compared], settings: GateSettings) -> Iterator[Check]:
    first = [_label(row.active) for row in rows]
    second = [row.candidate.label for row in rows]
    right = [row.label for row in rows]
    differences = paired_differences(right, first, second, seed=settings.seed)
    low = _low(differences)
    passed = low > -settings.margin
    f1 = f1_of(right, first), f1_of(right, second)
    said = (
        f"weighted F1 {f1[1]:.3f}, {f1[0]:.3f} of the active one; the difference is at least "
        f"{low:+.3f} in 19 of 20 cases, above {-settings.margin:+.3f} is asked for"
    )
    if not passed and f1[1] >= f1[0]:
        said += ": too few examples to tell; label more, or allow a wider margin"
    yield Check(name=f"{task}, all labels", passed=passed, said=said)
    yield _labels(task, Counter(right), differences, settings)


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


def _better_than_guessing(
    task: str, rows: Sequence[Compared], settings: GateSettings, *, why: str
) -> Check:
    right = [row.label for row in rows]
    support = Counter(right)
    guesses = [max(sorted(support), key=support.__getitem__)] * len(rows)
    answers = [row.candidate.label for row in rows]
    low = _low(paired_differences(right, guesses, answers, seed=settings.seed))
    f1, guessed = f1_of(right, answers), f1_of(right, guesses)
    said = (
        f"{why}; weighted F1 {f1:.3f}, {guessed:.3f} of always giving the commonest label; the "
        f"difference is at least {low:+.3f} in 19 of 20 cases, above 0 is asked for"
    )
    if low <= 0 and (f1 > guessed or len(support) == 1):
        said += ": too few examples to tell; label more"
    return Check(name=f"{task}, all labels", passed=low > 0, said=said)


def _low(differences: Differences) -> float:
    return float(np.quantile(differences.weighted, _CHANCE))


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
