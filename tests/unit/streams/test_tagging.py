"""Events → tags without Kafka, in order, as the workers would."""

from streams.datasets import Example
from streams.events import DialogueEvent
from streams.pipeline import Pipeline
from streams.tagging import TaggedExample, tag_examples
from tests import factories as make
from tests.fakes import FakeModelSide, FakeScorer

DOMAIN = make.domain()


def pipeline() -> Pipeline:
    side = FakeModelSide(DOMAIN, scorer=FakeScorer(DOMAIN))
    return side.pipeline(make.active_release(DOMAIN))


async def tagged(*events: DialogueEvent, at_once: int = 16) -> list[TaggedExample]:
    examples = [Example(event=event, label=None, place="-:1") for event in events]
    return [each async for each in tag_examples(examples, pipeline(), at_once=at_once)]


async def test_both_stages_answer_and_the_order_is_kept() -> None:
    texts = ["where", "hello"] * 5
    events = [make.event(make.user(text), event_id=str(n)) for n, text in enumerate(texts)]
    for at_once in (1, 3, 16):
        outcomes = await tagged(*events, at_once=at_once)
        assert [each.example.event.event_id for each in outcomes] == list("0123456789")
        sources = [tag.source for each in outcomes for tag in each.tags]
        assert sources == ["rules", "model"] * 5


async def test_tags_of_both_stages_stand_together() -> None:
    event = make.event(make.user("where", make.image("i1", make.png())))
    (outcome,) = await tagged(event)
    assert [(tag.task, tag.source) for tag in outcome.tags] == [
        ("intent", "rules"),
        ("scene", "model"),
    ]


async def test_what_workers_would_dead_letter_is_a_refusal_with_the_same_reason() -> None:
    bad_image = make.image("i1", b"no image")
    outcomes = await tagged(
        make.event(domain="pharmacy"),
        make.event(make.user("x" * 8001)),
        make.event(make.user("where", bad_image), tasks=("intent",)),
        make.event(),
    )
    reasons = [each.refusal.reason if each.refusal else None for each in outcomes]
    assert reasons == ["foreign_domain", "undecodable", "image_corrupt", None]
    assert [len(each.tags) for each in outcomes] == [0, 0, 0, 1]
