"""Which workers live, and which of them run another release than the active one."""

from dataclasses import replace

import pytest

from rule_store import Activation, topic_key
from streams.events import ReleaseInForce, WorkerStatus
from streams.statuses import Worker, deserted, followers, latest, weigh
from tests import factories as make

DOMAIN = make.domain()
ACTIVE = Activation(
    domain="shop",
    labels_digest=DOMAIN.labels_digest,
    digest=make.RELEASE,
    shadow=None,
    sequence=3,
    by="somebody",
    at_ms=make.NOW_MS,
)
STATUS = WorkerStatus(
    worker="shop-tagger-0",
    role="tagger",
    domain="shop",
    version="1",
    at_ms=make.NOW_MS,
    interval_ms=5000,
    labels_digest=DOMAIN.labels_digest,
    in_force=ReleaseInForce(digest=make.RELEASE, sequence=3, since_ms=make.NOW_MS),
)
OTHER = "sha256:" + "b" * 64


def weighed(status: WorkerStatus, *activations: Activation) -> Worker:
    active = {topic_key(each): each for each in activations}
    (worker,) = weigh([status], active, now_ms=make.NOW_MS)
    return worker


def differs(status: WorkerStatus, *activations: Activation) -> bool:
    return weighed(status, *activations).differs


def test_the_last_word_of_a_worker_counts() -> None:
    before = replace(STATUS, at_ms=make.NOW_MS - 5000)
    other = replace(STATUS, worker="shop-resolver-0", role="resolver")
    assert latest([before, other, STATUS]) == [other, STATUS]


@pytest.mark.parametrize(
    ("silent_ms", "stopped", "gone"),
    [(0, False, False), (15_000, False, False), (15_001, False, True), (0, True, True)],
)
def test_a_worker_is_gone_when_it_says_so_or_misses_three_intervals(
    silent_ms: int, stopped: bool, gone: bool
) -> None:
    status = replace(STATUS, stopped=stopped)
    (worker,) = weigh([status], {}, now_ms=make.NOW_MS + silent_ms)
    assert worker.gone is gone


def test_a_worker_that_runs_the_active_release_does_not_differ() -> None:
    assert not differs(STATUS, ACTIVE)


def test_a_worker_under_another_release_or_none_differs() -> None:
    running = ReleaseInForce(digest=OTHER, sequence=2, since_ms=0)
    assert differs(replace(STATUS, in_force=running), ACTIVE)
    assert differs(replace(STATUS, in_force=None), ACTIVE)


def test_a_worker_that_needs_a_release_differs_while_none_is_active() -> None:
    assert differs(replace(STATUS, in_force=None))


def test_a_worker_that_needs_no_release_never_differs() -> None:
    alerter = replace(STATUS, role="alerter", labels_digest=None, in_force=None)
    assert not differs(alerter, ACTIVE)


def test_each_worker_is_held_against_the_activation_for_its_own_labels() -> None:
    """In a rolling deploy of new labels there are two active releases for a while."""
    newer = replace(ACTIVE, labels_digest="0" * 64, digest=OTHER, sequence=9)
    assert not differs(STATUS, ACTIVE, newer)
    assert differs(replace(STATUS, labels_digest="0" * 64), ACTIVE, newer)


def test_a_worker_under_the_activation_misses_its_shadow_until_it_evaluates_it() -> None:
    shadowed = replace(ACTIVE, shadow=OTHER)
    assert weighed(STATUS, shadowed).missing_shadow == OTHER
    running = ReleaseInForce(digest=make.RELEASE, sequence=3, since_ms=0, shadow=OTHER)
    assert weighed(replace(STATUS, in_force=running), shadowed).missing_shadow is None
    assert weighed(STATUS, ACTIVE).missing_shadow is None


def test_a_worker_that_has_not_seen_that_its_release_got_a_shadow_misses_it() -> None:
    later = replace(ACTIVE, shadow=OTHER, sequence=4)
    assert weighed(STATUS, later).missing_shadow == OTHER


def test_a_worker_under_another_release_or_a_later_activation_misses_no_shadow() -> None:
    another = replace(ACTIVE, shadow=OTHER, digest="sha256:" + "c" * 64)
    assert weighed(STATUS, another).missing_shadow is None
    assert weighed(replace(STATUS, in_force=None), another).missing_shadow is None
    earlier = replace(ACTIVE, shadow=OTHER, sequence=2)
    assert weighed(STATUS, earlier).missing_shadow is None


def test_an_activation_is_followed_by_the_live_workers_of_its_labels() -> None:
    other_labels = replace(ACTIVE, labels_digest="0" * 64)
    active = {topic_key(each): each for each in (ACTIVE, other_labels)}
    behind = replace(
        STATUS,
        worker="shop-tagger-1",
        in_force=ReleaseInForce(digest=OTHER, sequence=2, since_ms=0),
    )
    gone = replace(STATUS, worker="shop-tagger-2", stopped=True)
    workers = weigh([STATUS, behind, gone], active, now_ms=make.NOW_MS)
    found = followers(ACTIVE, workers)
    assert [each.status.worker for each in found] == ["shop-tagger-0", "shop-tagger-1"]
    assert followers(other_labels, workers) == []


def test_what_was_activated_last_for_a_domain_is_deserted_without_a_live_worker() -> None:
    """Of earlier activations, for labels that the pack had once, the workers are gone for good."""
    earlier = replace(ACTIVE, labels_digest="0" * 64, at_ms=ACTIVE.at_ms - 1)
    later = replace(earlier, at_ms=ACTIVE.at_ms + 1)
    alone = weigh([STATUS], {topic_key(ACTIVE): ACTIVE}, now_ms=make.NOW_MS)
    assert deserted([ACTIVE, earlier], alone) == []
    assert deserted([ACTIVE, later], alone) == [later]
    assert deserted([ACTIVE], []) == [ACTIVE]
    assert deserted([], alone) == []
