"""Tag → alert, or why not."""

from streams.alerts import NoAlert, consider
from streams.domain import AlertPolicy
from streams.events import Alert, Tag, digest_of
from tests import factories as make

# Windows of 600 s; NOW_MS is 1.8e12 ms, which is 3,000,000 whole windows.
POLICY = make.REFUNDS
WINDOW_MS = 600_000


def considered(
    tag: Tag, *policies: AlertPolicy, now_ms: int = make.NOW_MS
) -> tuple[Alert | NoAlert, ...]:
    return consider(tag, policies or (POLICY,), now_ms=now_ms)


def alert_of(tag: Tag) -> Alert:
    (alert,) = considered(tag)
    assert isinstance(alert, Alert)
    return alert


def test_a_tag_that_the_policy_names_raises_an_alert() -> None:
    tag = make.tag(sent_at_ms=make.NOW_MS + 5)
    assert considered(tag, now_ms=make.NOW_MS + 9) == (
        make.alert(
            alert_id=digest_of("shop", "d1", "refunds", str(make.NOW_MS)),
            tag_id=tag.tag_id,
            sent_at_ms=make.NOW_MS + 5,
            window_start_ms=make.NOW_MS,
            raised_at_ms=make.NOW_MS + 9,
        ),
    )


def test_other_labels_tasks_and_abstentions_say_nothing() -> None:
    assert considered(make.tag(label="track")) == ()
    assert considered(make.tag(task="scene")) == ()
    assert considered(make.tag(label=None, source="abstained", reason="no_rule")) == ()


def test_the_confidence_at_the_bound_is_enough_and_below_is_not() -> None:
    assert alert_of(make.tag(confidence=0.5)).confidence == 0.5
    assert considered(make.tag(confidence=0.49)) == (
        NoAlert(policy="refunds", reason="low_confidence"),
    )


def test_a_tag_of_the_oldest_age_raises_one_and_an_older_is_late() -> None:
    """max_age_s is an hour."""
    oldest = make.tag(sent_at_ms=make.NOW_MS - 3_600_000)
    assert isinstance(considered(oldest)[0], Alert)
    older = make.tag(sent_at_ms=make.NOW_MS - 3_600_001)
    assert considered(older) == (NoAlert(policy="refunds", reason="late"),)


def test_one_window_gives_one_id_and_the_next_another() -> None:
    first, last = make.tag(), make.tag(event_id="e2", sent_at_ms=make.NOW_MS + WINDOW_MS - 1)
    following = make.tag(event_id="e3", sent_at_ms=make.NOW_MS + WINDOW_MS)
    assert alert_of(first).alert_id == alert_of(last).alert_id
    assert alert_of(following).alert_id != alert_of(first).alert_id


def test_the_id_depends_on_domain_dialogue_and_policy_and_on_no_clock() -> None:
    tag = make.tag()
    again = considered(tag, now_ms=make.NOW_MS + 1234)[0]
    assert isinstance(again, Alert)
    assert again.alert_id == alert_of(tag).alert_id
    others = (make.tag(domain="pharmacy"), make.tag(dialogue_id="d2"))
    assert len({alert_of(each).alert_id for each in (tag, *others)}) == 3


def test_every_policy_judges_for_itself() -> None:
    strict = AlertPolicy(
        name="sure",
        task="intent",
        labels=frozenset({"refund"}),
        min_confidence=0.95,
        cooldown_s=600.0,
        max_age_s=3600.0,
    )
    alert, withheld = considered(make.tag(), POLICY, strict)
    assert isinstance(alert, Alert)
    assert withheld == NoAlert(policy="sure", reason="low_confidence")
