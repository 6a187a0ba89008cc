"""The alerter: tags in, alerts and dead letters out, and why a tag raised none."""

from streams.alerter import Alerter
from streams.codec import decode_alert, decode_dead_letter, encode_tag
from streams.events import Tag
from streams.failures import Failures
from streams.metrics import Metrics
from streams.records import Record
from tests import factories as make

WINDOW_MS = 600_000


def alerter() -> Alerter:
    return Alerter(
        domain=make.domain(),
        metrics=Metrics("alerter"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )


def record(tag: Tag, offset: int = 0) -> Record:
    return make.record(encode_tag(tag), topic="dialogue.tags", offset=offset)


async def alert_ids(role: Alerter, *tags: Tag) -> list[list[str]]:
    """The alerts to tags that follow each other from the beginning of the topic."""
    decided = await role.decide([record(tag, offset) for offset, tag in enumerate(tags)])
    return [[decode_alert(output.value).alert_id for output in outputs] for outputs in decided]


def withheld(role: Alerter, reason: str) -> float | None:
    labels = {"policy": "refunds", "reason": reason}
    return role.metrics.registry.get_sample_value("kdsl_alerts_withheld_total", labels)


async def test_a_tag_the_policy_names_raises_an_alert_under_its_dialogue() -> None:
    role = alerter()
    ((output,),) = await role.decide([record(make.tag())])
    assert (output.kind, output.key) == ("alerts", b"d1")
    alert = decode_alert(output.value)
    assert (alert.policy, alert.label, alert.tag_id) == ("refunds", "refund", make.tag().tag_id)
    raised = role.metrics.registry.get_sample_value("kdsl_alerts_total", {"policy": "refunds"})
    assert raised == 1


async def test_a_second_tag_in_the_window_is_withheld_and_the_next_window_alerts() -> None:
    role = alerter()
    times = (make.NOW_MS, make.NOW_MS + WINDOW_MS - 1, make.NOW_MS + WINDOW_MS)
    tags = [
        make.tag(event_id=str(position), turn_index=position, sent_at_ms=time)
        for position, time in enumerate(times)
    ]
    first, second, third = await alert_ids(role, *tags)
    assert second == []
    assert first != third
    assert withheld(role, "cooldown") == 1


async def test_a_redelivered_tag_raises_the_alert_of_the_same_id_after_a_restart() -> None:
    before = await alert_ids(alerter(), make.tag())
    after = await alert_ids(alerter(), make.tag(decided_at_ms=9, took_us=8))
    assert before == after
    assert before != [[]]


async def test_records_that_come_again_raise_what_they_raised_before() -> None:
    """A rebalance abandons frames that were decided and not sent, and may give them back."""
    role = alerter()
    tags = (make.tag(turn_index=1), make.tag(event_id="later", turn_index=2, confidence=0.1))
    before = await alert_ids(role, *tags)
    assert [len(ids) for ids in before] == [1, 0]
    assert await alert_ids(role, *tags) == before
    assert withheld(role, "superseded") is None


async def test_what_is_not_begun_raises_nothing() -> None:
    role = alerter()
    assert await role.decide([record(make.tag())], abandoned=lambda: True) == []
    assert len(await alert_ids(role, make.tag())) == 1


async def test_a_tag_sent_twice_raises_nothing_twice_in_one_worker() -> None:
    role = alerter()
    first, again = await alert_ids(role, make.tag(), make.tag())
    assert (len(first), again) == (1, [])


async def test_a_superseded_tag_raises_none_and_says_why() -> None:
    role = alerter()
    newer, older = make.tag(label="track", turn_index=5), make.tag(turn_index=4)
    assert await alert_ids(role, newer, older) == [[], []]
    assert withheld(role, "superseded") == 1


async def test_an_abstention_supersedes_too() -> None:
    newer = make.tag(label=None, source="abstained", reason="no_rule", turn_index=5)
    assert await alert_ids(alerter(), newer, make.tag(turn_index=4)) == [[], []]


async def test_a_late_and_an_unsure_tag_raise_none_and_say_why() -> None:
    role = alerter()
    late = make.tag(dialogue_id="a", sent_at_ms=make.NOW_MS - 3_600_001)
    unsure = make.tag(dialogue_id="b", confidence=0.4)
    assert await alert_ids(role, late, unsure) == [[], []]
    assert withheld(role, "late") == 1
    assert withheld(role, "low_confidence") == 1


async def test_a_withheld_alert_does_not_start_the_cooldown() -> None:
    role = alerter()
    unsure, sure = make.tag(confidence=0.4), make.tag(event_id="e2")
    first, second = await alert_ids(role, unsure, sure)
    assert (first, len(second)) == ([], 1)


async def test_what_is_no_tag_of_this_domain_is_a_dead_letter() -> None:
    foreign = record(make.tag(domain="pharmacy"))
    garbage = make.record(b"\xc1", topic="dialogue.tags")
    decided = await alerter().decide([foreign, garbage, make.record(None)])
    letters = [decode_dead_letter(output.value) for (output,) in decided]
    assert [letter.reason for letter in letters] == ["foreign_domain", "undecodable", "undecodable"]
    assert [letter.record for letter in letters] == [foreign.value, b"\xc1", None]
    assert {letter.role for letter in letters} == {"alerter"}
