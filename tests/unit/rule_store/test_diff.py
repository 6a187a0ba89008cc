"""What differs between two releases, in words."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from rule_store import (
    Lexicon,
    Release,
    Reliability,
    TaskRules,
    labels_digest,
    read_rules,
)
from rule_store.diff import Change, diff_releases

LABELS = ("track", "refund")
LEXICON = Lexicon.of({"money": ("cash", "money")})
TRACK = 'when last has "where" then track\n'


def task_of(rules: str, *, labels: tuple[str, ...] = LABELS, value: float = 0.9) -> TaskRules:
    read = read_rules(rules, task="intent", labels=labels, lexicon=LEXICON).rules
    return TaskRules(
        labels=labels,
        rules=read,
        reliability={rule.id: Reliability(value=value, fitted=False) for rule in read},
        answer_at=0.85,
        fuse_at=0.0,
        vote_weight=1.0,
        defaults=True,
    )


def release_of(
    rules: str = TRACK,
    *,
    labels: tuple[str, ...] = LABELS,
    value: float = 0.9,
    concepts: Mapping[str, tuple[str, ...]] = LEXICON.concepts,
) -> Release:
    return Release(
        domain="shop",
        labels_digest=labels_digest({"intent": labels}),
        tasks={"intent": task_of(rules, labels=labels, value=value)},
        lexicon=Lexicon.of(concepts),
        bundle=None,
        examples_digest=None,
        settings={"view": "live"},
    )


def with_task(release: Release, task: TaskRules) -> Release:
    return replace(release, tasks={"intent": task})


def id_of(rules: str) -> str:
    return task_of(rules).rules[0].id


def only(old: Release, new: Release) -> Change:
    (change,) = diff_releases(old, new)
    return change


def test_equal_releases_differ_in_nothing() -> None:
    assert diff_releases(release_of(), release_of()) == ()


def test_a_rule_that_came_and_one_that_went_are_said_in_full() -> None:
    refund = 'when last has "refund" then refund\n'
    came = only(release_of(TRACK), release_of(TRACK + refund))
    assert (came.where, came.kind) == ("intent", "added")
    assert came.what == (
        f'rule {id_of(refund)}: when last has "refund" then refund (reliability 0.9, assumed)'
    )
    went = only(release_of(TRACK + refund), release_of(TRACK))
    assert (went.kind, went.what) == ("removed", came.what.partition(" (")[0])


def test_another_label_for_the_same_body_is_one_rule_that_changed() -> None:
    other = 'when last has "where" then refund\n'
    change = only(release_of(TRACK), release_of(other))
    assert change.kind == "changed"
    assert change.what == (
        f'rule {id_of(TRACK)}: when last has "where" then track: now gives refund, '
        f"as rule {id_of(other)}"
    )


def test_a_body_that_gained_and_lost_a_literal_is_one_rule_that_changed() -> None:
    old = 'when last has "where" and last has "parcel" then track\n'
    new = 'when last has "where" and not last mentions money then track\n'
    change = only(release_of(old), release_of(new))
    assert change.kind == "changed"
    assert change.what.endswith(
        f'now without `last has "parcel"`, and `not last mentions money`, as rule {id_of(new)}'
    )


def test_rules_with_less_than_half_in_common_are_two_rules() -> None:
    old = 'when last has "a" and last has "b" and last has "c" then track\n'
    new = 'when last has "a" and last has "d" and last has "e" then track\n'
    kinds = [change.kind for change in diff_releases(release_of(old), release_of(new))]
    assert kinds == ["removed", "added"]


def test_each_changed_rule_is_paired_with_the_one_it_has_most_in_common_with() -> None:
    old = 'when last has "a" and last has "b" then track\n'
    far = 'when last has "a" and last has "c" then track\n'
    near = 'when last has "a" and last has "b" and last has "d" then track\n'
    changed, added = diff_releases(release_of(old), release_of(far + near))
    assert (changed.kind, added.kind) == ("changed", "added")
    assert changed.what.endswith(f"as rule {id_of(near)}")
    assert id_of(far) in added.what


def test_a_reliability_that_moved_by_more_than_a_step_is_named_and_the_others_counted() -> None:
    old, moved = release_of(value=0.9), release_of(value=0.92)
    change = only(old, moved)
    assert change.kind == "moved"
    assert change.what.endswith("reliability 0.9, assumed → reliability 0.92, assumed")
    little = only(old, release_of(value=0.91))
    assert (
        little.what == "1 of the reliabilities by 0.01 or less, or from assumed to fitted or back"
    )
    assert only(old, moved) != diff_releases(old, moved, step=0.02)[0]


def test_thresholds_and_lambda_are_said() -> None:
    old = release_of()
    task = replace(old.tasks["intent"], answer_at=0.5, fuse_at=0.25, vote_weight=2, defaults=False)
    whats = [change.what for change in diff_releases(old, with_task(old, task))]
    assert whats == [
        "rules answer at 0.85 → 0.5",
        "the fused label is given at 0 → 0.25",
        "λ 1 → 2",
        "thresholds and λ: now fitted",
    ]


def test_numbers_that_differ_are_said_with_the_digits_that_tell_them_apart() -> None:
    old = release_of(value=0.9)
    task = replace(old.tasks["intent"], answer_at=0.850004, vote_weight=1 + 2**-52)
    whats = [change.what for change in diff_releases(old, with_task(old, task))]
    assert whats == ["rules answer at 0.85 → 0.850004", "λ 1 → 1.0000000000000002"]
    (moved,) = diff_releases(old, release_of(value=0.900001), step=0)
    assert moved.what.endswith("reliability 0.9, assumed → reliability 0.900001, assumed")


def test_labels_that_came_went_or_moved_are_said() -> None:
    old, new = release_of(), release_of(labels=("refund", "track"))
    assert only(old, new).what == "the order of labels"
    more = release_of(labels=(*LABELS, "other"))
    assert (only(old, more).kind, only(old, more).what) == ("added", "label other")
    assert (only(more, old).kind, only(more, old).what) == ("removed", "label other")


def test_another_order_of_the_same_rules_is_said() -> None:
    refund = 'when last has "refund" then refund\n'
    change = only(release_of(TRACK + refund), release_of(refund + TRACK))
    assert (change.kind, change.what) == ("moved", "the order of rules that both have")


def test_concepts_and_their_phrases_are_said() -> None:
    old = release_of(concepts={"money": ("cash", "money"), "old": ("x",)})
    new = release_of(concepts={"money": ("coin", "money"), "young": ("y",)})
    assert [(change.kind, change.what) for change in diff_releases(old, new)] == [
        ("changed", 'concept money: now with "coin", without "cash"'),
        ("removed", "concept old"),
        ("added", 'concept young: "y"'),
    ]


def test_what_it_was_fitted_with_is_said() -> None:
    old = release_of()
    new = replace(old, bundle="sha256:b", examples_digest="e", settings={"view": "recorded"})
    assert [change.what for change in diff_releases(old, new)] == [
        "bundle none → sha256:b",
        "examples none → e",
        "setting view live → recorded",
    ]


def test_a_task_that_came_or_went_is_counted() -> None:
    old = release_of()
    tasks = {**old.tasks, "scene": task_of("", labels=("receipt",))}
    labels = {name: task.labels for name, task in tasks.items()}
    new = replace(old, tasks=tasks, labels_digest=labels_digest(labels))
    assert only(old, new) == Change(
        where="scene", kind="added", what="task with 1 labels and 0 rules"
    )
    assert only(new, old).kind == "removed"


def test_thousands_of_rules_that_share_a_literal_are_paired_by_their_own() -> None:
    head = 'when last has "shared" and last has '
    words = ["".join(pair) for pair in product("abcdefghijklmnopqrstuvwxyz", repeat=2)]
    old = "".join(f'{head}"{word}" then track\n' for word in words)
    new = "".join(f'{head}"{word}" and last has "more" then track\n' for word in words)
    changes = diff_releases(release_of(old), release_of(new))
    assert len(changes) == 26 * 26
    assert all(change.what.partition(": now and `last has")[1] for change in changes)
