"""What workers told of a shadow, summed."""

from dataclasses import replace

from streams.comparisons import Comparisons, Flip, agreement, flips_by_label
from streams.shadow_records import ShadowCounts, ShadowTally
from tests import factories as make

COUNTS = ShadowCounts(
    domain="shop",
    role="tagger",
    worker="shop-tagger-0",
    active="sha256:a",
    shadow="sha256:b",
    tallies=(ShadowTally(task="intent", same=6, differs=2, open=1, skipped=3),),
    at_ms=10,
)


def test_counts_of_all_workers_and_times_add_up_by_task() -> None:
    comparisons = Comparisons(keep=0)
    comparisons.note(COUNTS)
    comparisons.note(replace(COUNTS, worker="shop-resolver-0", at_ms=30))
    comparisons.note(
        replace(COUNTS, at_ms=20, tallies=(ShadowTally(task="scene", same=1, skipped=1),))
    )
    (found,) = comparisons.all()
    assert found.tallies == {
        "intent": ShadowTally(task="intent", same=12, differs=4, open=2, skipped=6),
        "scene": ShadowTally(task="scene", same=1, skipped=1),
    }
    assert found.workers == {"shop-tagger-0", "shop-resolver-0"}
    assert found.latest_ms == 30
    assert agreement(found.tallies["intent"]) == 0.75


def test_where_nothing_was_decided_twice_there_is_no_agreement() -> None:
    assert agreement(ShadowTally(task="intent", open=3, skipped=2)) is None


def test_flips_are_grouped_by_the_label_in_force_the_largest_group_first() -> None:
    comparisons = Comparisons(keep=0)
    for label, instead, times in (
        ("track", "refund", 1),
        ("refund", "other", 2),
        ("track", None, 2),
        ("other", "track", 1),
    ):
        for _ in range(times):
            comparisons.note(make.shadow_difference(label=label, instead=instead))
    comparisons.note(make.shadow_difference(label="track", open_reason="needs_screen"))
    (found,) = comparisons.all()
    grouped = {
        label: [(flip.instead, flip.left_open, count) for flip, count in flips]
        for (_, label), flips in flips_by_label(found).items()
    }
    assert list(grouped) == ["track", "refund", "other"]
    assert grouped["track"] == [(None, False, 2), ("refund", False, 1), (None, True, 1)]
    assert found.flips[Flip(task="intent", answered="refund", instead="other")] == 2


def test_the_newest_differences_are_kept() -> None:
    comparisons = Comparisons(keep=2)
    for name in ("d1", "d2", "d3"):
        comparisons.note(make.shadow_difference(dialogue_id=name))
    (found,) = comparisons.all()
    assert [each.dialogue_id for each in found.newest] == ["d2", "d3"]


def test_the_pair_spoken_of_last_is_the_last() -> None:
    comparisons = Comparisons(keep=0)
    comparisons.note(replace(COUNTS, at_ms=2))
    comparisons.note(replace(COUNTS, shadow="sha256:c", at_ms=1))
    assert [each.shadow for each in comparisons.all()] == ["sha256:c", "sha256:b"]
