"""A release is laid out for deciding only where it belongs."""

import pytest

from streams.active_release import ActiveRelease
from streams.building import build_release, pack_rules
from streams.domain import Domain
from streams.errors import ReleaseRefused
from tests import factories as make

DOMAIN = make.domain()
RELEASE = build_release(DOMAIN, pack_rules(DOMAIN))


def test_it_holds_what_decides() -> None:
    active = ActiveRelease.of(RELEASE, digest="sha256:x", domain=DOMAIN)
    task = active.tasks["intent"]
    assert active.digest == "sha256:x"
    assert active.bundle is None
    assert active.lexicon == DOMAIN.lexicon
    assert task.labels == ("track", "refund", "other")
    assert {rule.id for rule in task.rule_set.rules} == set(task.reliability)
    assert set(task.reliability.values()) == {0.9}  # assumed
    assert (task.answer_at, task.fuse_at, task.vote_weight) == (0.85, 0.2, 0.3)  # documented
    assert not task.fitted


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        (make.domain(name="pharmacy"), "is for domain 'shop', this worker serves 'pharmacy'"),
        (
            make.domain(
                labels={"intent": ("refund", "track", "other"), "scene": ("a", "b")}, rules={}
            ),
            "built for other labels",
        ),
    ],
)
def test_a_release_of_another_domain_or_labels_is_refused_with_the_cure(
    domain: Domain, why: str
) -> None:
    with pytest.raises(ReleaseRefused, match=why) as caught:
        ActiveRelease.of(RELEASE, digest="sha256:x", domain=domain)
    assert "kdsl release build" in str(caught.value)


def test_labels_in_another_order_are_other_labels() -> None:
    reordered = make.domain(
        labels={"intent": ("refund", "track", "other"), "scene": ("receipt", "chat")}
    )
    with pytest.raises(ReleaseRefused, match="other labels"):
        ActiveRelease.of(RELEASE, digest="sha256:x", domain=reordered)
