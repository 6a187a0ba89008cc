"""Gate: whether a candidate release may take the place of the active one, and why not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rule_store.mining.answers import f1_of
from rule_store.mining.bootstrap import Differences, paired_differences
from rule_store.mining.calibration import ece, perfect_ece
from rule_store.mining.compared import Compared, dialogues_by_label, dialogues_of, firings_of

# What is said of chance holds in 19 of 20 draws. It is how often chance makes honest reliabilities
# look worse than that, or a label that is as good. Of all labels together the worst of the 19 is
# asked for: there chance alone refuses the more often, the fewer the examples.
_CHANCE = 0.05

_BY_HEART = (
    "the active one may have learned from these examples, and look better than it is: look at the "
    "candidate, and sign and activate it yourself"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSize:
    """What a release takes: its rules, of all tasks, and its bytes."""

    rules: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """What a candidate must keep to.

    Examples are counted by their dialogues: moments of one repeat each other.

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

    With nothing in force a candidate must be better than always giving the commonest label. What
    is worse than an active release that may have learned from these examples may be better on new
    ones: nothing here tells, so it is refused, and a person told.

    Args:
        compared: the admission split; either all questions have an active answer or none has.
        size: of the candidate.
        settings: what it must keep to.
        active_learned: whether the active release may have learned from the split.
    """
    by_task: defaultdict[str, list[Compared]] = defaultdict(list)
    for each in compared:
        by_task[each.task].append(each)
    dialogues = {task: dialogues_of(rows) for task, rows in sorted(by_task.items())}
    checks = [enough(dialogues, settings), _small(size, settings)]
    for task, rows in sorted(by_task.items()):
        if dialogues_of(rows) < settings.task_examples:
            continue
        checks.append(_calibrated(task, rows, settings))
        if any(row.active is None for row in rows):
            checks.append(_better_than_guessing(task, rows, settings))
        elif active_learned:
            checks.extend(_by_heart(_not_worse(task, rows, settings)))
        else:
            checks.extend(_not_worse(task, rows, settings))
    return GateReport(checks=tuple(checks))


def enough(counts: Mapping[str, int], settings: GateSettings) -> Check:
    """Look whether the admission split, of so many dialogues by task, can tell anything."""
    count, least = sum(counts.values()), settings.least_examples
    if count < least:
        said = f"{count} dialogues in the admission split, {least} are asked for: label more"
        return Check(name="examples", passed=False, said=said)
    told = ", ".join(f"{number} of {task}" for task, number in counts.items())
    few = [task for task, number in counts.items() if number < settings.task_examples]
    said = f"dialogues in the admission split: {told}"
    if few:
        said += f"; by fewer than {settings.task_examples} not judged: {', '.join(few)}"
    return Check(name="examples", passed=len(few) < len(counts), said=said)


def _small(size: ReleaseSize, settings: GateSettings) -> Check:
    passed = size.rules <= settings.most_rules and size.bytes <= settings.most_bytes
    said = (
        f"{size.rules} rules in {size.bytes} bytes, {settings.most_rules} in "
        f"{settings.most_bytes} are allowed"
    )
    return Check(name="size", passed=passed, said=said)


def _calibrated(task: str, rows: Sequence[Compared], settings: GateSettings) -> Check:
    """Rules must be right as often as they say, or no further off than those in force."""
    mine = firings_of(rows, [row.candidate for row in rows])
    off = ece(mine.said, mine.right)
    chance = perfect_ece(
        mine.said, seed=settings.seed, share=1 - _CHANCE, together=mine.dialogue_and_label
    )
    said = (
        f"{len(mine.said)} firings, on average {off:.3f} from their reliability (ECE); by chance "
        f"within {chance:.3f} in 19 of 20 cases, {settings.tolerance:.3f} more may be"
    )
    passed = off <= chance + settings.tolerance
    theirs = firings_of(rows, [row.active for row in rows])
    if not passed and theirs.said:
        before = ece(theirs.said, theirs.right)
        said += f"; {before:.3f} with the active one"
        passed = off <= before
    return Check(name=f"{task}, calibration", passed=passed, said=said)


def _not_worse(task: str, rows: Sequence[Compared], settings: GateSettings) -> Iterator[Check]:
    first = [None if row.active is None else row.active.label for row in rows]
    second = [row.candidate.label for row in rows]
    right = [row.label for row in rows]
    differences = _differences(rows, first, second, settings)
    low = _low(differences)
    passed = low >= -settings.margin
    f1 = f1_of(right, first), f1_of(right, second)
    said = (
        f"weighted F1 {f1[1]:.3f}, {f1[0]:.3f} of the active one; the difference is at least "
        f"{low:+z.3f} in 19 of 20 cases, {-settings.margin:+z.3f} or more is asked for"
    )
    if not passed and f1[1] >= f1[0]:
        said += ": too few examples to tell; label more, or allow a wider margin"
    yield Check(name=f"{task}, all labels", passed=passed, said=said)
    yield _labels(task, dialogues_by_label(rows), differences, settings)


def _by_heart(checks: Iterable[Check]) -> Iterator[Check]:
    """Say of what failed why it may be no fault, and who can tell."""
    for check in checks:
        yield check if check.passed else replace(check, said=f"{check.said}; {_BY_HEART}")


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
    said = f"with {settings.label_support} dialogues or more: {len(judged)}, none clearly worse"
    if worse:
        said = f"clearly worse than with the active one: {', '.join(worse)}"
    return Check(name=f"{task}, each label", passed=not worse, said=said)


def _better_than_guessing(task: str, rows: Sequence[Compared], settings: GateSettings) -> Check:
    right = [row.label for row in rows]
    support = Counter(right)
    guesses = [max(sorted(support), key=support.__getitem__)] * len(rows)
    answers = [row.candidate.label for row in rows]
    low = _low(_differences(rows, guesses, answers, settings))
    f1, guessed = f1_of(right, answers), f1_of(right, guesses)
    said = (
        f"nothing is in force; weighted F1 {f1:.3f}, {guessed:.3f} of always giving the commonest "
        f"label; the difference is at least {low:+.3f} in 19 of 20 cases, above 0 is asked for"
    )
    if low <= 0 and (f1 > guessed or len(support) == 1):
        said += ": too few examples to tell; label more"
    return Check(name=f"{task}, all labels", passed=low > 0, said=said)


def _differences(
    rows: Sequence[Compared],
    first: Sequence[str | None],
    second: Sequence[str | None],
    settings: GateSettings,
) -> Differences:
    return paired_differences(
        [row.label for row in rows],
        first,
        second,
        seed=settings.seed,
        together=[row.dialogue_id for row in rows],
    )


def _low(differences: Differences) -> float:
    return float(np.quantile(differences.weighted, _CHANCE))
