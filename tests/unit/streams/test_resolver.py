"""The resolver: every open question leaves as a tag or as a dead letter."""

import pytest

from streams.codec import (
    decode_dead_letter,
    decode_tag,
    encode_deferred,
    encode_event,
)
from streams.events import DialogueEvent, Question
from streams.failures import Failures
from streams.metrics import Metrics
from streams.pipeline import Scorer
from streams.records import Record
from streams.resolver import Resolver
from tests import factories as make
from tests.fakes import BUNDLE, BrokenScorer, FakeModelSide, FakeReader, FakeScorer

DOMAIN = make.domain()
RELEASE = make.active_release(DOMAIN)
INTENT = Question(task="intent")
PICTURE = make.png()


def resolver(
    *,
    scorer: Scorer | None = None,
    reader: FakeReader | None = None,
    side: FakeModelSide | None = None,
) -> Resolver:
    made = Resolver(
        domain=DOMAIN,
        model_side=side or FakeModelSide(DOMAIN, scorer=scorer, reader=reader),
        metrics=Metrics("resolver"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    made.use(RELEASE)
    return made


def asking(event: DialogueEvent, *questions: Question) -> Record:
    value = encode_deferred(make.deferred(encode_event(event), *questions))
    return make.record(value, topic="dialogue.deferred")


async def test_every_open_question_leaves_as_a_tag_under_its_dialogue() -> None:
    event = make.event(make.user("hello", make.image("i1", PICTURE)))
    record = asking(event, INTENT, Question(task="scene", image_id="i1"))
    role = resolver(scorer=FakeScorer(DOMAIN), reader=FakeReader({PICTURE: ["Total"]}))
    (outputs,) = await role.decide([record])
    tags = [decode_tag(output.value) for output in outputs]
    assert [(output.kind, output.key) for output in outputs] == [("tags", b"d1")] * 2
    assert [(tag.task, tag.source, tag.bundle) for tag in tags] == [
        ("intent", "model", BUNDLE),
        ("scene", "rules", None),
    ]
    assert {tag.release for tag in tags} == {RELEASE.digest}
    assert {(tag.accepted_at_ms, tag.decided_at_ms) for tag in tags} == {(make.NOW_MS, make.NOW_MS)}


async def test_records_keep_their_order_and_a_question_asked_twice_is_answered_once() -> None:
    records = [
        asking(make.event(make.user("hello"), event_id=name), INTENT, INTENT) for name in "abc"
    ]
    decided = await resolver(scorer=FakeScorer(DOMAIN)).decide(records)
    assert [[decode_tag(output.value).event_id for output in each] for each in decided] == [
        ["a"],
        ["b"],
        ["c"],
    ]


async def test_a_question_the_event_does_not_ask_is_a_dead_letter() -> None:
    record = asking(make.event(), Question(task="scene", image_id="i9"))
    ((output,),) = await resolver().decide([record])
    letter = decode_dead_letter(output.value)
    assert (letter.reason, letter.role, letter.topic) == (
        "undecodable",
        "resolver",
        "dialogue.deferred",
    )
    assert letter.record == record.value


async def test_an_image_that_kills_the_reader_is_a_dead_letter() -> None:
    event = make.event(make.user("", make.image("i1", PICTURE)))
    record = asking(event, Question(task="scene", image_id="i1"))
    ((output,),) = await resolver(reader=FakeReader(kills=[PICTURE])).decide([record])
    assert decode_dead_letter(output.value).reason == "image_kills_reader"


async def test_records_that_wait_their_turn_when_another_worker_has_them_are_not_begun() -> None:
    """Four events with images are in memory at once; the fifth and sixth wait."""
    event = make.event(make.user("", make.image("i1", PICTURE)))
    records = [asking(event, Question(task="scene", image_id="i1"))] * 6
    asked = iter([False] * 4 + [True] * 2)
    reader = FakeReader({PICTURE: ["Total"]})
    decided = await resolver(reader=reader).decide(records, abandoned=lambda: next(asked))
    assert len(decided) == 4


async def test_one_bad_record_does_not_stop_its_neighbours() -> None:
    records = [asking(make.event(), INTENT), make.record(b"\xc1"), asking(make.event(), INTENT)]
    decided = await resolver().decide(records)
    assert [[output.kind for output in outputs] for outputs in decided] == [
        ["tags"],
        ["dead_letters"],
        ["tags"],
    ]


async def test_a_failing_model_is_a_failure_of_ours() -> None:
    role = resolver(scorer=BrokenScorer())
    ((output,),) = await role.decide([asking(make.event(make.user("hello")), INTENT)])
    letter = decode_dead_letter(output.value)
    assert (letter.reason, letter.detail) == ("failed", "RuntimeError in the resolver")
    assert role.failures.summary == "1 of the last 1 valid records"


async def test_the_tag_is_the_resolvers_whatever_release_the_tagger_had() -> None:
    value = encode_deferred(make.deferred(encode_event(make.event()), release="sha256:older"))
    ((output,),) = await resolver().decide([make.record(value)])
    assert decode_tag(output.value).release == RELEASE.digest


async def test_it_opens_its_model_side_at_the_start_and_closes_it_at_the_stop() -> None:
    side = FakeModelSide(DOMAIN)
    role = resolver(side=side)
    await role.start()
    assert side.is_open
    await role.stop()
    assert not side.is_open


async def test_a_resolver_without_a_release_takes_nothing() -> None:
    role = Resolver(
        domain=DOMAIN,
        model_side=FakeModelSide(DOMAIN),
        metrics=Metrics("resolver"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    with pytest.raises(RuntimeError):
        await role.decide([asking(make.event(), INTENT)])
