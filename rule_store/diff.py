"""Diff: what differs between two releases, rule by rule, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from rule_store.printing import print_body, print_literal, reading_order
from rule_store.release import Release
from rule_store.rule_pairs import pair_rules
from rule_store.rules import Rule
from rule_store.task_rules import Reliability, TaskRules

# Reliabilities are estimates; a hundredth up or down says nothing.
RELIABILITY_STEP = 0.01
# Enough for people, where they tell two numbers apart.
_DIGITS = 4

Kind = OneOf["added", "removed", "changed", "moved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs.

    where: the task, `lexicon` or `release`.
    kind: *moved* is a reliability or a threshold, or the order of rules.
    what: a sentence without its end.
    """

    where: str
    kind: Kind
    what: str


def diff_releases(
    old: Release, new: Release, *, step: float = RELIABILITY_STEP
) -> tuple[Change, ...]:
    """Say what it takes to get from one release to the other.

    Rules are the same when task, body and label are. Of the others, two are one rule that changed
    when they have the same body, or the same label and at least half of their literals in common.

    Args:
        old: from.
        new: to.
        step: reliabilities that moved by no more are only counted.
    """
    return (
        *_tasks(old, new, step),
        *_lexicon(old.lexicon.concepts, new.lexicon.concepts),
        *_release(old, new),
    )


def _tasks(old: Release, new: Release, step: float) -> Iterator[Change]:
    for name in sorted(old.tasks.keys() | new.tasks.keys()):
        if name not in old.tasks:
            yield Change(where=name, kind="added", what=f"task {_counted(new.tasks[name])}")
        elif name not in new.tasks:
            yield Change(where=name, kind="removed", what=f"task {_counted(old.tasks[name])}")
        else:
            yield from _task(name, old.tasks[name], new.tasks[name], step)


def _counted(task: TaskRules) -> str:
    return f"with {len(task.labels)} labels and {len(task.rules)} rules"


def _task(name: str, old: TaskRules, new: TaskRules, step: float) -> Iterator[Change]:
    yield from _labels(name, old.labels, new.labels)
    before = {rule.id: rule for rule in old.rules}
    after = {rule.id: rule for rule in new.rules}
    removed = [rule for rule in old.rules if rule.id not in after]
    added = [rule for rule in new.rules if rule.id not in before]
    pairs = pair_rules(removed, added)
    for one, other in pairs:
        yield Change(where=name, kind="changed", what=_changed(one, other))
    gone, come = {one.id for one, _ in pairs}, {other.id for _, other in pairs}
    for rule in removed:
        if rule.id not in gone:
            yield Change(where=name, kind="removed", what=_said(rule))
    for rule in added:
        if rule.id not in come:
            believed = _believed(new.reliability[rule.id])
            yield Change(where=name, kind="added", what=f"{_said(rule)} ({believed})")
    yield from _reliabilities(name, [before[i] for i in before if i in after], old, new, step)
    if [i for i in before if i in after] != [i for i in after if i in before]:
        yield Change(where=name, kind="moved", what="the order of rules that both have")
    yield from _weights(name, old, new)


def _labels(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    for label in new:
        if label not in old:
            yield Change(where=name, kind="added", what=f"label {label}")
    for label in old:
        if label not in new:
            yield Change(where=name, kind="removed", what=f"label {label}")
    if sorted(old) == sorted(new) and tuple(old) != tuple(new):
        yield Change(where=name, kind="moved", what="the order of labels")


def _changed(old: Rule, new: Rule) -> str:
    if old.body == new.body:
        what = f"{_said(old)}: now gives {new.label}"
    else:
        lost = [print_literal(each) for each in old.body if each not in new.body]
        won = [print_literal(each) for each in new.body if each not in old.body]
        parts = [*(f"without `{each}`" for each in lost), *(f"and `{each}`" for each in won)]
        what = f"{_said(old)}: now {', '.join(parts)}"
    return f"{what}, as rule {new.id}"


def _said(rule: Rule) -> str:
    return f"rule {rule.id}: when {print_body(reading_order(rule.body))} then {rule.label}"


def _believed(known: Reliability, digits: int = _DIGITS) -> str:
    return f"reliability {known.value:.{digits}g}, {'fitted' if known.fitted else 'assumed'}"


def _telling(was: float, now: float) -> int:
    """How many digits tell two numbers apart; 17 tell any that differ."""
    apart = (n for n in range(_DIGITS, 17) if f"{was:.{n}g}" != f"{now:.{n}g}")
    return next(apart, 17)


def _reliabilities(
    name: str, kept: Sequence[Rule], old: TaskRules, new: TaskRules, step: float
) -> Iterator[Change]:
    """Those that moved by more than the step, by name; the others in one number."""
    little = 0
    for rule in kept:
        was, now = old.reliability[rule.id], new.reliability[rule.id]
        # Rounded, since 0.91 - 0.9 is a little more than 0.01.
        if round(abs(now.value - was.value), 9) > step:
            digits = _telling(was.value, now.value)
            what = f"{_said(rule)}: {_believed(was, digits)} → {_believed(now, digits)}"
            yield Change(where=name, kind="moved", what=what)
        elif was != now:
            little += 1
    if little:
        what = (
            f"{little} of the reliabilities by {step:g} or less, or from assumed to fitted or back"
        )
        yield Change(where=name, kind="moved", what=what)


def _weights(name: str, old: TaskRules, new: TaskRules) -> Iterator[Change]:
    for word, was, now in (
        ("rules answer at", old.answer_at, new.answer_at),
        ("the fused label is given at", old.fuse_at, new.fuse_at),
        ("λ", old.vote_weight, new.vote_weight),
    ):
        if was != now:
            n = _telling(was, now)
            yield Change(where=name, kind="moved", what=f"{word} {was:.{n}g} → {now:.{n}g}")
    if old.defaults != new.defaults:
        what = "now the documented defaults" if new.defaults else "now fitted"
        yield Change(where=name, kind="changed", what=f"thresholds and λ: {what}")


def _lexicon(
    old: Mapping[str, Sequence[str]], new: Mapping[str, Sequence[str]]
) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            what = f"concept {name}: {_listed(new[name])}"
            yield Change(where="lexicon", kind="added", what=what)
        elif name not in new:
            yield Change(where="lexicon", kind="removed", what=f"concept {name}")
        elif old[name] != new[name]:
            was, now = set(old[name]), set(new[name])
            parts = [f"with {_listed(sorted(now - was))}"] if now - was else []
            parts += [f"without {_listed(sorted(was - now))}"] if was - now else []
            what = f"concept {name}: now {', '.join(parts)}"
            yield Change(where="lexicon", kind="changed", what=what)


def _listed(phrases: Sequence[str]) -> str:
    return ", ".join(f'"{phrase}"' for phrase in phrases)


def _release(old: Release, new: Release) -> Iterator[Change]:
    for word, was, now in (
        ("domain", old.domain, new.domain),
        ("bundle", old.bundle, new.bundle),
        ("examples", old.examples_digest, new.examples_digest),
    ):
        if was != now:
            what = f"{word} {was or 'none'} → {now or 'none'}"
            yield Change(where="release", kind="changed", what=what)
    for name in sorted(old.settings.keys() | new.settings.keys()):
        before, after = old.settings.get(name, "none"), new.settings.get(name, "none")
        if before != after:
            what = f"setting {name} {before} → {after}"
            yield Change(where="release", kind="changed", what=what)
