"""An answer given early is the answer that would have been given late; every question gets one."""

import asyncio
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rule_store import (
    FACTS,
    Answered,
    CompiledRules,
    Has,
    Line,
    Literal,
    Mentions,
    Predicate,
    Reaches,
    Rule,
    RuleSet,
    settle,
)
from streams.active_release import ActiveRelease, ActiveTask
from streams.decided import Decided
from streams.domain import Domain
from streams.events import DialogueEvent, ImageRef, Question, Tag
from streams.evidence import evidence_for
from streams.image_checks import check_image
from streams.judging import Judge
from streams.metrics import Metrics
from streams.pipeline import Pipeline
from streams.questions import images_read_for, questions
from streams.screen_facts import white_share
from streams.screens import ReadImage
from streams.shadow import Shadow
from tests import factories as make
from tests.fakes import BUNDLE, FakeModelSide, FakeReader, FakeScorer, reading

WORDS = ("red", "green", "refund", "money back")
CHANNELS = ("last", "user", "reply", "screen", "screen.top", "screen.lines")
# They differ in what is measured of them: whiteness and shape.
PICTURES = (make.png(shade=0), make.png(shade=255, height=16), make.png(shade=200, width=16))
DOMAIN = make.domain(rules={})
RELEASE = make.active_release(DOMAIN)

texts = st.lists(st.sampled_from(WORDS), max_size=2).map(" ".join)
words, channels = st.sampled_from(WORDS), st.sampled_from(CHANNELS)
predicates: st.SearchStrategy[Predicate] = st.one_of(
    st.builds(Has, channel=channels, phrase=words),
    st.builds(Line, channel=channels, line=words),
    st.builds(
        Mentions, channel=channels, concept=st.just("refund"), at_least=st.sampled_from((1, 2))
    ),
    st.builds(
        Reaches, fact=st.sampled_from(FACTS), value=st.sampled_from((0.0, 0.4, 0.5, 1.0, 2.0))
    ),
)
literals = st.builds(Literal, predicate=predicates, negated=st.booleans())


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Rules, an event, what its pictures show, and whether there is a model to ask."""

    release: ActiveRelease
    event: DialogueEvent
    reader: FakeReader
    has_model: bool

    @property
    def bundle(self) -> str | None:
        return BUNDLE if self.has_model else None

    def pipeline(self, *, early_answer: bool, domain: Domain = DOMAIN) -> Pipeline:
        scorer = FakeScorer(domain, first=0.5) if self.has_model else None
        side = FakeModelSide(domain, scorer=scorer, reader=self.reader)
        return side.pipeline(self.release, early_answer=early_answer)

    def decided(self, *, early_answer: bool) -> tuple[tuple[Tag, ...], tuple[Tag, ...]]:
        """The tags of the first stage, and those of the second."""
        early, late = self.stages(early_answer=early_answer)
        return tuple(each.tag for each in early), tuple(each.tag for each in late)

    def stages(self, *, early_answer: bool) -> tuple[tuple[Decided, ...], tuple[Decided, ...]]:
        """Likewise, with what was known."""
        pipeline = self.pipeline(early_answer=early_answer)
        tagged = pipeline.tag(self.event)
        left = [each.question for each in tagged.open_questions]
        return tagged.decided, asyncio.run(pipeline.resolve(self.event, left))


@st.composite
def active_tasks(draw: st.DrawFn, task: str) -> ActiveTask:
    labels = DOMAIN.tasks[task].label_names
    rules = draw(
        st.lists(
            st.builds(
                Rule,
                task=st.just(task),
                body=st.lists(literals, min_size=1, max_size=2).map(tuple),
                label=st.sampled_from(labels),
            ),
            max_size=4,
            unique_by=lambda rule: rule.id,
        )
    )
    reliability = {rule.id: draw(st.sampled_from((0.4, 0.6, 0.9))) for rule in rules}
    return replace(
        RELEASE.tasks[task],
        rules=CompiledRules.of(RuleSet(task=task, rules=tuple(rules)), RELEASE.lexicon),
        reliability=reliability,
        answer_at=draw(st.sampled_from((0.0, 0.5, 0.9, 1.0))),
    )


@st.composite
def events(draw: st.DrawFn) -> DialogueEvent:
    """One to three turns, of which each may carry a picture, or an image nobody can read."""
    turns = []
    for position in range(draw(st.integers(1, 3))):
        content = draw(st.none() | st.sampled_from(PICTURES))
        shown = draw(st.booleans())
        images = (ImageRef(image_id=str(position), content=content),) if shown else ()
        turns.append(draw(st.sampled_from((make.user, make.agent)))(draw(texts), *images))
    latest = draw(st.sampled_from(((), (ImageRef(image_id="latest", content=PICTURES[0]),))))
    tasks = draw(st.sampled_from((None, ("intent",))))
    return make.event(*turns, make.user("?", *latest), tasks=tasks)


releases = st.builds(
    lambda intent, scene: replace(RELEASE, tasks={"intent": intent, "scene": scene}),
    active_tasks("intent"),
    active_tasks("scene"),
)
cases = st.builds(
    Case,
    release=releases,
    event=events(),
    reader=st.builds(
        lambda *shown: FakeReader(dict(zip(PICTURES, shown, strict=True))),
        *[st.lists(texts.filter(bool), max_size=3)] * len(PICTURES),
    ),
    has_model=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(case=cases)
def test_an_early_answer_is_the_answer_of_the_resolvers_stage(case: Case) -> None:
    early, rest = case.decided(early_answer=True)
    none, late = case.decided(early_answer=False)
    assert none == ()
    by_id = {tag.tag_id: tag for tag in late}
    # Equal in everything: label, source, reason, rules, confidence, candidates, digests.
    assert all(by_id[tag.tag_id] == tag for tag in (*early, *rest))


@settings(max_examples=150, deadline=None)
@given(case=cases)
def test_without_a_model_the_only_label_that_fired_is_the_answer_or_there_is_none(
    case: Case,
) -> None:
    _, late = replace(case, has_model=False).stages(early_answer=False)
    for decided in late:
        task = case.release.tasks[decided.tag.task]
        fired = task.rules.evaluate(decided.evidence)
        verdict = settle(fired, reliability=task.reliability, answer_at=task.answer_at)
        unread = decided.question.image_id is not None and decided.evidence.read("screen") is None
        if isinstance(verdict, Answered):
            assert (decided.tag.label, decided.tag.confidence) == (
                verdict.label,
                verdict.reliability,
            )
        elif unread or not fired.fired:
            assert decided.tag.label is None
        else:
            # No rule here is believed less than .4: votes always reach the .2 of the release.
            labels = {rule.label for rule in fired.fired}
            assert decided.tag.label in labels
            assert decided.tag.source == "rules"


@settings(max_examples=100, deadline=None)
@given(case=cases)
def test_every_question_gets_exactly_one_tag(case: Case) -> None:
    early, rest = case.decided(early_answer=True)
    answered = [Question(task=tag.task, image_id=tag.image_id) for tag in (*early, *rest)]
    assert len(answered) == len(set(answered))
    assert set(answered) == set(questions(case.event, DOMAIN))


@settings(max_examples=60, deadline=None)
@given(case=cases)
def test_a_tag_is_well_formed(case: Case) -> None:
    early, rest = case.decided(early_answer=True)
    for tag in (*early, *rest):
        probabilities = [each.probability for each in tag.candidates]
        assert 1 <= len(probabilities) <= 3
        assert probabilities == sorted(probabilities, reverse=True)
        assert tag.confidence == probabilities[0]
        assert (tag.label is None) == (tag.source == "abstained") == (tag.reason is not None)
        assert tag.label in (None, tag.candidates[0].label)
        assert tag.release == RELEASE.digest


@settings(max_examples=150, deadline=None)
@given(case=cases, other=releases)
def test_what_a_shadow_says_is_what_its_release_would_have_said_in_force(
    case: Case, other: ActiveRelease
) -> None:
    shadowed = replace(other, digest="sha256:" + "5" * 64)
    wanted = {
        tag.tag_id: tag.label
        for tags in replace(case, release=shadowed).decided(early_answer=True)
        for tag in tags
    }
    for decided, late in zip(case.stages(early_answer=True), (False, True), strict=True):
        shadow = Shadow(
            judge=Judge(release=shadowed, bundle=case.bundle),
            against=RELEASE.digest,
            role="tagger",
            late=late,
            metrics=Metrics("tagger"),
            now_ms=lambda: make.NOW_MS,
        )
        shadow.offer(decided)
        for each in decided:
            difference = shadow.compare_next()
            if difference is None:
                assert wanted[each.tag.tag_id] == each.tag.label
            elif difference.instead is not None:
                assert wanted[each.tag.tag_id] == difference.instead.label != each.tag.label
        assert sum(tally.skipped for tally in shadow.take_tallies()) == 0


@settings(max_examples=100, deadline=None)
@given(event=events(), lines=st.lists(texts, max_size=3))
def test_reading_the_screen_adds_to_what_is_known_and_changes_nothing_of_it(
    event: DialogueEvent, lines: list[str]
) -> None:
    for question in questions(event, DOMAIN):
        screens = {
            image.image_id: ReadImage(
                image=check_image(PICTURES[1]),
                reading=reading(*lines),
                white_share=white_share(PICTURES[1]),
            )
            for image in images_read_for(question, event)
        }
        before = evidence_for(question, event, {})
        after = evidence_for(question, event, screens)
        assert before.texts.items() <= after.texts.items()
        assert before.facts.items() <= after.facts.items()
        assert set(after.facts) == set(FACTS)
