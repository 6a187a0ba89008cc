"""The largest event passes every hop of the real decisions, and so does its dead letter."""

from streams.codec import (
    decode_dead_letter,
    decode_deferred,
    decode_event,
    decode_tag,
    encode_event,
)
from streams.failures import Failures
from streams.limits import LIMITS
from streams.metrics import Metrics
from streams.pipeline import Scorer
from streams.resolver import Resolver
from streams.tagger import Tagger
from streams.topics import TOPICS, Kind
from tests import factories as make
from tests.fakes import BrokenScorer, FakeModelSide, FakeScorer

DOMAIN = make.domain()
RELEASE = make.active_release(DOMAIN)


def largest_event() -> bytes:
    """All the text an event may have, and a later version's field up to exactly 1 MiB."""
    turns = LIMITS.event_text_chars // LIMITS.text_chars
    texts = [make.user("说" * LIMITS.text_chars) for _ in range(turns)]
    return make.padded(encode_event(make.event(*texts)), LIMITS.event_bytes)


def resolver(scorer: Scorer) -> Resolver:
    made = Resolver(
        domain=DOMAIN,
        model_side=FakeModelSide(DOMAIN, scorer=scorer),
        metrics=Metrics("resolver"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    made.use(RELEASE)
    return made


async def test_the_largest_event_is_deferred_and_resolved_or_dead_lettered_whole() -> None:
    original = largest_event()
    assert len(original) == LIMITS.event_bytes
    tagger = Tagger(
        domain=DOMAIN,
        image_prefixes=(),
        early_answer=True,
        metrics=Metrics("tagger"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    tagger.use(RELEASE)
    assert len(decode_event(original).turns) == 12
    ((deferred,),) = await tagger.decide([make.record(original)])
    assert decode_deferred(deferred.value).record == original
    assert len(deferred.value) <= LIMITS.deferred_bytes < limit_of("deferred")

    record = make.record(deferred.value, topic="dialogue.deferred")
    ((tag,),) = await resolver(FakeScorer(DOMAIN)).decide([record])
    assert decode_tag(tag.value).turn_index == 11

    ((letter,),) = await resolver(BrokenScorer()).decide([record])
    assert decode_dead_letter(letter.value).record == deferred.value
    assert len(letter.value) <= LIMITS.dead_letter_bytes < limit_of("dead_letters")


def limit_of(kind: Kind) -> int:
    """`max.message.bytes` of a topic."""
    return int(TOPICS[kind].config["max.message.bytes"])
