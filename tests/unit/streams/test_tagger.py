"""The tagger: records in; tags, deferred questions and dead letters out."""

import pytest

from streams.active_release import ActiveRelease
from streams.codec import decode_dead_letter, decode_deferred, decode_tag, encode_event
from streams.events import OpenQuestion, Question
from streams.failures import Failures
from streams.metrics import Metrics
from streams.records import REDRIVEN_HEADER
from streams.tagger import Tagger
from tests import factories as make

DOMAIN = make.domain()
RELEASE = make.active_release(DOMAIN)
GOOD = make.record(encode_event(make.event()))
OPEN = make.record(encode_event(make.event(make.user("hello"))))


def tagger(*, failures: Failures | None = None, early_answer: bool = True) -> Tagger:
    made = Tagger(
        domain=DOMAIN,
        image_prefixes=(),
        early_answer=early_answer,
        metrics=Metrics("tagger"),
        failures=failures or Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    made.use(RELEASE)
    return made


def counted(role: Tagger, name: str, **labels: str) -> float:
    return role.metrics.registry.get_sample_value(f"{name}_total", labels) or 0.0


async def test_an_answered_question_leaves_as_a_tag_under_its_dialogue() -> None:
    role = tagger()
    ((output,),) = await role.decide([GOOD])
    assert (output.kind, output.key) == ("tags", b"d1")
    tag = decode_tag(output.value)
    assert (tag.label, tag.release) == ("track", RELEASE.digest)
    assert (tag.accepted_at_ms, tag.decided_at_ms) == (GOOD.timestamp_ms, make.NOW_MS)
    assert counted(role, "kdsl_tags", task="intent", source="rules") == 1


async def test_an_open_question_leaves_with_the_original_record() -> None:
    role = tagger()
    ((output,),) = await role.decide([OPEN])
    assert (output.kind, output.key) == ("deferred", b"d1")
    assert decode_deferred(output.value) == make.deferred(
        OPEN.value or b"",
        accepted_at_ms=OPEN.timestamp_ms,
        release=RELEASE.digest,
        questions=(OpenQuestion(question=Question(task="intent"), reason="no_rule"),),
    )
    assert counted(role, "kdsl_deferred", task="intent", reason="no_rule") == 1


async def test_an_event_may_leave_as_a_tag_and_a_deferred_question() -> None:
    event = make.event(make.user("where", make.image("i1", make.png())))
    ((tag, deferred),) = await tagger().decide([make.record(encode_event(event))])
    assert (tag.kind, deferred.kind) == ("tags", "deferred")
    assert [each.question for each in decode_deferred(deferred.value).questions] == [
        Question(task="scene", image_id="i1")
    ]


async def test_an_event_that_asks_nothing_leaves_nothing() -> None:
    event = make.event(make.user("where"), make.agent("here"))
    assert await tagger().decide([make.record(encode_event(event))]) == [()]


async def test_without_early_answers_every_question_is_deferred() -> None:
    ((output,),) = await tagger(early_answer=False).decide([GOOD])
    assert output.kind == "deferred"


async def test_a_redriven_record_says_so_to_the_resolver() -> None:
    redriven = make.record(OPEN.value, headers=((REDRIVEN_HEADER, b"1"),))
    ((output,),) = await tagger().decide([redriven])
    assert decode_deferred(output.value).redriven


async def test_a_record_without_a_kafka_timestamp_is_accepted_at_zero() -> None:
    ((output,),) = await tagger().decide([make.record(GOOD.value, timestamp_ms=0)])
    assert decode_tag(output.value).accepted_at_ms == 0


async def test_one_bad_record_does_not_stop_its_neighbours() -> None:
    decided = await tagger().decide([GOOD, make.record(b"\xc1"), OPEN])
    kinds = [[output.kind for output in outputs] for outputs in decided]
    assert kinds == [["tags"], ["dead_letters"], ["deferred"]]


async def test_a_defect_of_ours_is_a_dead_letter_that_quotes_nothing() -> None:
    failing = ActiveRelease(digest="x", bundle=None, lexicon=RELEASE.lexicon, tasks={})
    role = tagger()
    role.use(failing)
    ((output,),) = await role.decide([GOOD])
    letter = decode_dead_letter(output.value)
    assert (letter.reason, letter.detail) == ("failed", "KeyError in the tagger")
    assert letter.record == GOOD.value
    assert role.failures.summary == "1 of the last 1 valid records"


async def test_invalid_records_do_not_count_as_failures_of_ours() -> None:
    role = tagger(failures=Failures(window=10, at_least=1, share=0.0))
    decided = await role.decide([make.record(b"\xc1")] * 5)
    assert len(decided) == 5
    assert not role.failures.too_many


async def test_too_many_failures_stop_the_batch_after_a_prefix() -> None:
    """At least 3 seen and more than 20 % failed: the third failure is the last record taken."""
    role = tagger(failures=Failures(window=10, at_least=3, share=0.2))
    role.use(ActiveRelease(digest="x", bundle=None, lexicon=RELEASE.lexicon, tasks={}))
    assert len(await role.decide([GOOD] * 10)) == 3
    assert await role.decide([GOOD]) == []


async def test_what_another_worker_has_by_now_is_not_begun() -> None:
    begun = iter([False, False, True])
    assert len(await tagger().decide([GOOD] * 5, abandoned=lambda: next(begun))) == 2


async def test_a_new_release_decides_what_comes_next() -> None:
    role = tagger()
    other = make.domain(rules={"intent": 'when last has "where" then other'})
    role.use(make.active_release(other))
    ((output,),) = await role.decide([GOOD])
    assert decode_tag(output.value).label == "other"


async def test_a_tagger_without_a_release_takes_nothing() -> None:
    role = Tagger(
        domain=DOMAIN,
        image_prefixes=(),
        early_answer=True,
        metrics=Metrics("tagger"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    with pytest.raises(RuntimeError):
        await role.decide([GOOD])
