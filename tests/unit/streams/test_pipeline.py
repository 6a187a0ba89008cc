"""The whole decision without Kafka: what the texts settle, what the screen does, what the model."""

from dataclasses import replace

import pytest

from streams.active_release import ActiveRelease, ActiveTask
from streams.domain import Domain
from streams.errors import ImageRejected, InvalidEvent
from streams.events import DialogueEvent, OpenQuestion, Question, Tag, Turn
from streams.pipeline import Pipeline, Scorer
from tests import factories as make
from tests.fakes import BUNDLE, FakeModelSide, FakeReader, FakeScorer

DOMAIN = make.domain()
RELEASE = make.active_release(DOMAIN)
INTENT = Question(task="intent")
SCENE = Question(task="scene", image_id="i1")
PICTURE, OTHER_PICTURE = make.png(shade=0), make.png(shade=255)


def pipeline(
    *,
    model: Scorer | None = None,
    reader: FakeReader | None = None,
    release: ActiveRelease = RELEASE,
    domain: Domain = DOMAIN,
    early_answer: bool = True,
) -> Pipeline:
    side = FakeModelSide(domain, scorer=model, reader=reader)
    return side.pipeline(release, early_answer=early_answer)


def with_intent(release: ActiveRelease, task: ActiveTask) -> ActiveRelease:
    return replace(release, tasks={**release.tasks, "intent": task})


def rule_ids(*labels: str) -> tuple[str, ...]:
    rules = (rule for each in DOMAIN.rule_sets.values() for rule in each.rules)
    return tuple(rule.id for rule in rules if rule.label in labels)


def open_question(question: Question, reason: str) -> OpenQuestion:
    return OpenQuestion(question=question, reason=reason)


async def resolved(event: DialogueEvent, question: Question, **parts: object) -> Tag:
    (decided,) = await pipeline(**parts).resolve(event, [question])  # type: ignore[arg-type]
    return decided.tag


# The tagger's stage


def test_what_the_text_settles_is_answered_with_everything_that_decided() -> None:
    tagged = pipeline().tag(make.event(make.user("Where is it?"), first_turn_index=4))
    assert tagged.open_questions == ()
    (tag,) = tagged.tags
    assert (tag.domain, tag.event_id, tag.dialogue_id) == ("shop", "e1", "d1")
    assert (tag.turn_index, tag.sent_at_ms) == (4, make.NOW_MS)
    assert (tag.task, tag.image_id) == ("intent", None)
    assert (tag.label, tag.source, tag.reason) == ("track", "rules", None)
    assert tag.confidence == 0.9  # the pack's assumed reliability
    assert [each.label for each in tag.candidates] == ["track", "refund", "other"]
    assert tag.rules == rule_ids("track")
    assert (tag.release, tag.bundle, tag.degraded) == (RELEASE.digest, None, None)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (make.event(make.user("hello")), "no_rule"),
        (make.event(make.user("where is my refund")), "conflict"),
        (make.event(make.user("where, help", make.image()), tasks=("intent",)), "needs_screen"),
    ],
)
def test_what_the_text_leaves_open_is_deferred_with_the_reason(
    event: DialogueEvent, reason: str
) -> None:
    tagged = pipeline().tag(event)
    assert tagged.tags == ()
    assert tagged.open_questions == (open_question(INTENT, reason),)


def test_an_answer_below_the_releases_threshold_is_deferred() -> None:
    unsure = make.domain(rules={"intent": 'when last has "where" then track'})
    release = make.active_release(unsure)
    below = dict.fromkeys(release.tasks["intent"].reliability, 0.84)  # answer_at is .85
    task = release.tasks["intent"]
    weak = with_intent(release, replace(task, reliability=below))
    tagged = pipeline(domain=unsure, release=weak).tag(make.event())
    assert tagged.open_questions == (open_question(INTENT, "below_threshold"),)


def test_an_unread_screen_that_cannot_matter_does_not_defer() -> None:
    tagged = pipeline().tag(make.event(make.user("where", make.image()), tasks=("intent",)))
    assert [tag.label for tag in tagged.tags] == ["track"]


MEASURED = make.domain(
    rules={
        "intent": """
            when turns at least 2 and screen.white_share below 0.5 then track
            when screen.white_share at least 0.5 then refund
            when images at least 2 then other
        """
    }
)
MEASURED_RELEASE = make.active_release(MEASURED)


@pytest.mark.parametrize(
    ("turns", "answer"),
    [
        ((make.user("hi"), make.user("hello")), "track"),  # no image: nothing is white
        ((make.user("hi"),), "no_rule"),
        ((make.user("hi"), make.user("hello", make.image("i1", PICTURE))), "needs_screen"),
        ((make.user("hello", make.image("a"), make.image("b")),), "needs_screen"),
    ],
)
def test_facts_count_at_once_but_those_of_a_screen_nobody_looked_at(
    turns: tuple[Turn, ...], answer: str
) -> None:
    event = make.event(*turns, tasks=("intent",))
    tagged = pipeline(domain=MEASURED, release=MEASURED_RELEASE).tag(event)
    told = [tag.label for tag in tagged.tags] + [each.reason for each in tagged.open_questions]
    assert told == [answer]


def test_an_event_is_answered_and_deferred_question_by_question() -> None:
    tagged = pipeline().tag(make.event(make.user("where", make.image("i1"), make.image("i2"))))
    assert [(tag.task, tag.label) for tag in tagged.tags] == [("intent", "track")]
    assert tagged.open_questions == (
        open_question(SCENE, "needs_screen"),
        open_question(Question(task="scene", image_id="i2"), "needs_screen"),
    )


def test_without_early_answers_everything_is_deferred() -> None:
    tagged = pipeline(early_answer=False).tag(make.event())
    assert tagged.tags == ()
    assert tagged.open_questions == (open_question(INTENT, "no_early_answer"),)


def test_the_taggers_stage_reads_no_image_and_asks_no_model() -> None:
    model, reader = FakeScorer(DOMAIN), FakeReader()
    pipeline(model=model, reader=reader).tag(
        make.event(make.user("hello", make.image("i1", PICTURE)))
    )
    assert model.asked == []
    assert reader.read_images == []


def test_a_bad_image_is_refused_even_where_the_text_settles_everything() -> None:
    event = make.event(make.user("where", make.image("i1", b"no image")), tasks=("intent",))
    with pytest.raises(ImageRejected):
        pipeline().tag(event)


def test_a_foreign_event_is_refused_before_its_images_are_looked_at() -> None:
    event = make.event(make.user("where", make.image("i1", b"no image")), domain="pharmacy")
    with pytest.raises(InvalidEvent) as caught:
        pipeline().tag(event)
    assert caught.value.reason == "foreign_domain"


# The resolver's stage


async def test_what_the_screen_says_lets_the_rules_answer() -> None:
    event = make.event(make.user("", make.image("i1", PICTURE)))
    tag = await resolved(event, SCENE, reader=FakeReader({PICTURE: ["Sum", "TOTAL 12"]}))
    assert (tag.label, tag.source, tag.image_id) == ("receipt", "rules", "i1")
    assert tag.rules == rule_ids("receipt")


@pytest.mark.parametrize(("picture", "label"), [(PICTURE, "track"), (OTHER_PICTURE, "refund")])
async def test_what_is_measured_of_the_screen_lets_the_rules_answer(
    picture: bytes, label: str
) -> None:
    event = make.event(make.user("hi"), make.user("hello", make.image("i1", picture)))
    tag = await resolved(event, INTENT, domain=MEASURED, release=MEASURED_RELEASE)
    assert (tag.label, tag.source) == (label, "rules")


async def test_each_image_is_read_once_whoever_asks() -> None:
    first, second = make.image("i1", PICTURE), make.image("i2", OTHER_PICTURE)
    event = make.event(make.user("hello", first, second))
    reader = FakeReader()
    asked = [INTENT, SCENE, Question(task="scene", image_id="i2")]
    tags = [each.tag for each in await pipeline(reader=reader).resolve(event, asked)]
    assert [(tag.task, tag.image_id) for tag in tags] == [
        ("intent", None),
        ("scene", "i1"),
        ("scene", "i2"),
    ]
    assert len(reader.read_images) == 2


async def test_an_image_the_event_does_not_carry_stays_unread() -> None:
    tag = await resolved(make.event(make.user("", make.image())), SCENE, model=FakeScorer(DOMAIN))
    assert (tag.label, tag.source, tag.reason) == (None, "abstained", "image_unread")
    assert tag.bundle is None


async def test_an_intent_with_an_unread_image_is_decided_from_its_text() -> None:
    """`help` alone would need the screen; nobody can read it, so that rule does not fire."""
    event = make.event(make.user("where, help", make.image()), tasks=("intent",))
    tag = await resolved(event, INTENT)
    assert (tag.label, tag.source) == ("track", "rules")


async def test_where_the_rules_abstain_the_model_answers() -> None:
    model = FakeScorer(DOMAIN, first=0.8)
    tag = await resolved(make.event(make.user("Hello")), INTENT, model=model)
    assert (tag.label, tag.source, tag.bundle) == ("track", "model", BUNDLE)
    assert tag.confidence == pytest.approx(0.8)
    assert tag.rules == ()
    (asked,) = model.asked
    assert asked.texts == {"last": "hello", "user": "hello", "reply": "", "agent": ""}


async def test_in_a_conflict_votes_and_model_are_fused() -> None:
    """Equal votes for track and refund: odds 9^.3 each over other, and the model prefers track."""
    model = FakeScorer(DOMAIN, first=0.5)
    tag = await resolved(make.event(make.user("where is my refund")), INTENT, model=model)
    vote = 9**0.3
    assert (tag.label, tag.source) == ("track", "fusion")
    assert tag.confidence == pytest.approx(0.5 * vote / (0.5 * vote + 0.25 * vote + 0.25))
    assert tag.rules == rule_ids("track", "refund")


async def test_a_model_that_is_not_sure_enough_abstains_and_is_named() -> None:
    labels = {"intent": tuple(f"label{n}" for n in range(6))}  # evenly: 1/6 < fuse_at of .2
    wide = make.domain(labels=labels, rules={}, policies=())
    release = make.active_release(wide)
    tag = await resolved(make.event(), INTENT, model=FakeScorer(wide), domain=wide, release=release)
    assert (tag.label, tag.source, tag.reason) == (None, "abstained", "low_confidence")
    assert tag.bundle == BUNDLE


def believed(**labels: float) -> ActiveRelease:
    """The release whose intent rules are so reliable, by label."""
    task = RELEASE.tasks["intent"]
    reliability = {rule.id: labels.get(rule.label, 0.9) for rule in task.rule_set.rules}
    return with_intent(RELEASE, replace(task, reliability=reliability))


async def test_without_a_model_votes_decide_between_rules_that_disagree() -> None:
    """Odds of 1.5 for track and 4 for refund, against 1."""
    event = make.event(make.user("where is my refund"))
    tag = await resolved(event, INTENT, release=believed(track=0.6, refund=0.8))
    assert (tag.label, tag.source, tag.reason) == ("refund", "rules", None)
    assert tag.confidence == pytest.approx(4 / 6.5)
    assert [each.label for each in tag.candidates] == ["refund", "track", "other"]
    assert tag.rules == rule_ids("track", "refund")
    assert tag.bundle is None


async def test_without_a_model_a_rule_below_the_threshold_answers_as_far_as_it_is_believed() -> (
    None
):
    tag = await resolved(make.event(make.user("where")), INTENT, release=believed(track=0.6))
    assert (tag.label, tag.source) == ("track", "rules")
    assert tag.confidence == pytest.approx(0.6)


async def test_with_a_model_rules_that_disagree_leave_the_answer_to_it() -> None:
    event = make.event(make.user("where is my refund"))
    release = believed(track=0.6, refund=0.8)
    tag = await resolved(event, INTENT, release=release, model=FakeScorer(DOMAIN, first=0.9))
    assert (tag.label, tag.source, tag.bundle) == ("track", "fusion", BUNDLE)


async def test_without_a_model_the_rules_reason_is_the_abstentions() -> None:
    tags = [
        (await resolved(make.event(make.user(text)), INTENT, release=believed(track=0.15)))
        for text in ("hello", "where")
    ]
    assert [tag.reason for tag in tags] == ["no_rule", "below_threshold"]
    for tag in tags:
        assert (tag.label, tag.source, tag.bundle) == (None, "abstained", None)
        assert len(tag.candidates) == 3


async def test_without_a_model_votes_of_an_unread_image_decide_nothing() -> None:
    """The rule of the picture's shape fired; what it shows, nobody saw."""
    rules = {"scene": 'when images at least 1 then chat\nwhen screen has "parcel" then receipt'}
    shown = make.domain(rules=rules)
    release = make.active_release(shown)
    unsure = replace(
        release.tasks["scene"],
        reliability=dict.fromkeys(release.tasks["scene"].reliability, 0.6),
    )
    release = replace(release, tasks={**release.tasks, "scene": unsure})
    event = make.event(make.user("", make.image()))
    tag = await resolved(event, SCENE, domain=shown, release=release)
    assert (tag.label, tag.source, tag.reason) == (None, "abstained", "image_unread")
    assert tag.rules == (unsure.rule_set.rules[0].id,)


async def test_the_model_sees_the_screens_of_its_question() -> None:
    model = FakeScorer(DOMAIN)
    event = make.event(make.user("hello", make.image("i1", make.png(width=800, height=400))))
    await resolved(event, INTENT, model=model)
    (asked,) = model.asked
    (screen,) = asked.screens
    assert (screen.width, screen.height) == (800, 400)
    assert screen.pixels is not None
    assert screen.pixels.shape == (192, 384, 3)


@pytest.mark.parametrize(("fitted_with", "weight"), [(BUNDLE, 0.0), ("sha256:other", 0.3)])
async def test_fitted_weights_count_only_for_the_bundle_they_were_fitted_with(
    fitted_with: str, weight: float
) -> None:
    task = replace(RELEASE.tasks["intent"], vote_weight=0.0, fitted=True)
    release = with_intent(replace(RELEASE, bundle=fitted_with), task)
    model = FakeScorer(DOMAIN, first=0.5)
    event = make.event(make.user("where is my refund"))
    tag = await resolved(event, INTENT, model=model, release=release)
    vote = 9**weight
    assert tag.confidence == pytest.approx(0.5 * vote / (0.5 * vote + 0.25 * vote + 0.25))
    assert tag.source == ("model" if weight == 0 else "fusion")
