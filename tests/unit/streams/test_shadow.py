"""A shadow decides again from what was known, and nothing else happens."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from streams import shadow as shadow_module
from streams.active_release import ActiveRelease
from streams.decided import Decided
from streams.events import DialogueEvent, Question
from streams.judging import Judge
from streams.metrics import Metrics
from streams.pipeline import Pipeline
from streams.shadow import Shadow
from streams.shadow_records import ShadowAnswer, ShadowTally
from tests import factories as make
from tests.fakes import BUNDLE, FakeModelSide, FakeReader, FakeScorer

DOMAIN = make.domain()
ACTIVE = make.active_release(DOMAIN)
# "where" is something else here, "hello" is settled, and a receipt needs the model.
OTHER_RULES: Mapping[str, str] = {
    "intent": """
        when last has "where" then other
        when last has "hello" then track
        when last has "help" and screen has "voucher" then refund
    """,
    "scene": 'when screen.top has "online" then chat',
}
OTHER = make.active_release(make.domain(rules=OTHER_RULES))
INTENT, SCENE = Question(task="intent"), Question(task="scene", image_id="i1")
PICTURE = make.png()


def shadow(
    release: ActiveRelease = OTHER,
    *,
    late: bool = False,
    bundle: str | None = None,
    metrics: Metrics | None = None,
) -> Shadow:
    return Shadow(
        judge=Judge(release=release, bundle=bundle),
        against=ACTIVE.digest,
        role="resolver" if late else "tagger",
        late=late,
        metrics=metrics or Metrics("tagger"),
        now_ms=lambda: make.NOW_MS,
    )


def pipeline(*, model: FakeScorer | None = None, reader: FakeReader | None = None) -> Pipeline:
    return FakeModelSide(DOMAIN, scorer=model, reader=reader).pipeline(ACTIVE)


def answered_early(text: str) -> tuple[Decided, ...]:
    return pipeline().tag(make.event(make.user(text))).decided


async def answered_late(
    event: DialogueEvent,
    question: Question,
    *,
    model: FakeScorer | None = None,
    reader: FakeReader | None = None,
) -> tuple[Decided, ...]:
    return await pipeline(model=model, reader=reader).resolve(event, [question])


def counted(metrics: Metrics) -> dict[str, float]:
    """Metric with its labels' values → count, of those that counted anything."""
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if sample.name.startswith("kdsl_shadow") and sample.name.endswith("_total") and sample.value
    }


# What the tagger answered


def test_an_equal_answer_is_counted_and_is_no_difference() -> None:
    metrics = Metrics("tagger")
    same = shadow(ACTIVE, metrics=metrics)
    same.offer(answered_early("where"))
    assert same.compare_next() is None
    assert same.take_tallies() == (ShadowTally(task="intent", same=1),)
    assert counted(metrics) == {"kdsl_shadow_questions_total intent track same": 1}


def test_another_label_is_a_difference_with_both_answers_and_the_rules_of_both() -> None:
    metrics = Metrics("tagger")
    other = shadow(metrics=metrics)
    (decided,) = answered_early("where")
    other.offer([decided])
    difference = other.compare_next()
    assert difference is not None
    assert (difference.domain, difference.dialogue_id, difference.task) == ("shop", "d1", "intent")
    assert (difference.active, difference.shadow) == (ACTIVE.digest, OTHER.digest)
    assert difference.answered == ShadowAnswer(
        label="track", confidence=0.9, source="rules", reason=None, rules=decided.tag.rules
    )
    first_rule = OTHER.tasks["intent"].rule_set.rules[0].id
    assert difference.instead == ShadowAnswer(
        label="other", confidence=0.9, source="rules", reason=None, rules=(first_rule,)
    )
    assert difference.open_reason is None
    assert other.take_tallies() == (ShadowTally(task="intent", differs=1),)
    assert counted(metrics) == {"kdsl_shadow_questions_total intent track differs": 1}


def test_what_the_shadow_would_leave_to_the_resolver_stays_open_with_its_reason() -> None:
    other = shadow()
    other.offer(answered_early("refund"))
    difference = other.compare_next()
    assert difference is not None
    assert (difference.instead, difference.open_reason) == (None, "no_rule")
    assert other.take_tallies() == (ShadowTally(task="intent", open=1),)


# What the resolver decided


async def test_the_probabilities_of_the_model_are_used_again_and_nobody_is_asked_twice() -> None:
    model = FakeScorer(DOMAIN, first=0.8)
    event = make.event(make.user("hi"))
    late = shadow(late=True, bundle=BUNDLE)
    late.offer(await answered_late(event, INTENT, model=model))
    assert late.compare_next() is None  # neither release has a rule: both take the model's label
    assert late.take_tallies() == (ShadowTally(task="intent", same=1),)
    assert len(model.asked) == 1


async def test_a_rule_of_the_shadow_answers_what_the_model_did() -> None:
    event = make.event(make.user("hello"))
    late = shadow(late=True, bundle=BUNDLE)
    late.offer(await answered_late(event, INTENT, model=FakeScorer(DOMAIN, first=0.1)))
    difference = late.compare_next()
    assert difference is not None
    assert difference.answered.source == "model"
    assert difference.instead is not None
    assert (difference.instead.label, difference.instead.source) == ("track", "rules")


async def test_where_only_the_shadow_needs_the_model_the_question_stays_open() -> None:
    event = make.event(make.user("", make.image(content=PICTURE)), tasks=("scene",))
    late = shadow(late=True, bundle=BUNDLE)
    reader = FakeReader({PICTURE: ["total 9.99"]})
    model = FakeScorer(DOMAIN)
    late.offer(await answered_late(event, SCENE, model=model, reader=reader))
    difference = late.compare_next()
    assert difference is not None
    assert (difference.answered.label, difference.image_id) == ("receipt", "i1")
    assert (difference.instead, difference.open_reason) == (None, "no_rule")
    assert model.asked == []


async def test_a_screen_that_was_read_is_read_for_the_shadow_too() -> None:
    event = make.event(make.user("help", make.image(content=PICTURE)), tasks=("intent",))
    reader = FakeReader({PICTURE: ["voucher"]})
    late = shadow(late=True)
    late.offer(await answered_late(event, INTENT, reader=reader))
    difference = late.compare_next()
    assert difference is not None
    assert difference.instead is not None
    assert (difference.answered.label, difference.instead.label) == ("other", "refund")
    assert len(reader.read_images) == 1


async def test_without_a_model_two_abstentions_are_the_same() -> None:
    late = shadow(late=True)
    late.offer(await answered_late(make.event(make.user("hi")), INTENT))
    assert late.compare_next() is None
    assert late.take_tallies() == (ShadowTally(task="intent", same=1),)


async def test_an_unread_image_leaves_both_releases_without_an_answer() -> None:
    event = make.event(make.user("", make.image()), tasks=("scene",))
    late = shadow(late=True, bundle=BUNDLE)
    late.offer(await answered_late(event, SCENE, model=FakeScorer(DOMAIN)))
    assert late.compare_next() is None


# Bounds


def test_what_finds_no_room_is_skipped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_module, "_WAITING", 2)
    metrics = Metrics("tagger")
    same = shadow(ACTIVE, metrics=metrics)
    for _ in range(5):
        same.offer(answered_early("where"))
    assert same.waiting == 2
    same.compare_next()
    same.compare_next()
    assert same.take_tallies() == (ShadowTally(task="intent", same=2, skipped=3),)
    assert counted(metrics)["kdsl_shadow_skipped_total behind"] == 3


def test_what_waits_is_bounded_in_characters_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # "where" stands in the channels `last` and `user`: ten characters a decision.
    monkeypatch.setattr(shadow_module, "_WAITING_CHARS", 25)
    same = shadow(ACTIVE)
    for _ in range(5):
        same.offer(answered_early("where"))
    assert same.waiting == 3  # the third passes the bound, and is the last
    same.compare_next()
    same.offer(answered_early("where"))
    assert same.waiting == 3


def test_a_decision_under_another_release_is_not_compared() -> None:
    metrics = Metrics("tagger")
    same = shadow(ACTIVE, metrics=metrics)
    (decided,) = answered_early("where")
    same.offer([replace(decided, tag=replace(decided.tag, release=make.RELEASE))])
    assert same.waiting == 0
    assert counted(metrics) == {"kdsl_shadow_skipped_total release_changed": 1}


def test_a_shadow_that_fails_is_counted_and_goes_on() -> None:
    metrics = Metrics("tagger")
    broken = shadow(replace(OTHER, tasks={}), metrics=metrics)
    broken.offer(answered_early("where"))
    assert broken.compare_next() is None
    assert broken.waiting == 0
    assert broken.take_tallies() == (ShadowTally(task="intent", skipped=1),)
    assert counted(metrics) == {"kdsl_shadow_skipped_total failed": 1}


def test_an_abandoned_shadow_counts_what_waited_as_skipped() -> None:
    same = shadow(ACTIVE)
    same.offer(answered_early("where"))
    same.abandon()
    assert same.waiting == 0
    assert same.take_tallies() == (ShadowTally(task="intent", skipped=1),)


def test_counts_are_told_once() -> None:
    same = shadow(ACTIVE)
    same.offer(answered_early("where"))
    same.compare_next()
    assert same.take_tallies() != ()
    assert same.take_tallies() == ()
