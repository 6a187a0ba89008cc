"""The sizes derive from one table, so that a record at its limit passes every hop."""

import pytest

from streams.codec import (
    decode_dead_letter,
    decode_deferred,
    decode_event,
    decode_tag,
    encode_dead_letter,
    encode_deferred,
    encode_event,
    encode_tag,
)
from streams.errors import DecodeError
from streams.events import Candidate, OpenQuestion, Question
from streams.limits import LIMITS
from streams.records import Output, dead_letter, dead_letter_output
from streams.topics import TOPICS, Kind
from tests import factories as make

KEY = "🔑" * LIMITS.id_chars  # the longest dialogue id: 4 bytes a character


def event_at_the_limit() -> bytes:
    """Exactly `event_bytes`: longest texts, most inline bytes, and a later version's field."""
    images = tuple(
        make.image("🖼" * (LIMITS.id_chars - 2) + f"{position:02}")
        for position in range(LIMITS.images_per_event - 1)
    )
    turns = LIMITS.event_text_chars // LIMITS.text_chars
    texts = tuple(make.user("说" * LIMITS.text_chars) for _ in range(turns))
    latest = make.user("?", *images, make.image("largest", bytes(LIMITS.inline_images_bytes)))
    event = make.event(*texts, latest, dialogue_id=KEY, tasks=("intent", "scene"))
    return make.padded(encode_event(event), LIMITS.event_bytes)


def deferred_at_the_limit() -> bytes:
    """An event at its limit with as many open questions as an event can ask, names at theirs."""
    questions = tuple(
        OpenQuestion(
            question=Question(
                task="t" * LIMITS.name_chars, image_id=f"{position:02}".ljust(LIMITS.id_chars, "é")
            ),
            reason="r" * LIMITS.name_chars,
        )
        for position in range(LIMITS.images_per_event + LIMITS.tasks)
    )
    return encode_deferred(make.deferred(event_at_the_limit(), redriven=True, questions=questions))


def kafka_bytes(output: Output) -> int:
    """A batch of one record: 61 bytes of batch header and at most 9 + 12 of lengths, key, value."""
    return 61 + 21 + len(output.key or b"") + len(output.value)


def test_an_event_may_be_exactly_as_large_as_the_limit() -> None:
    raw = event_at_the_limit()
    assert len(raw) == LIMITS.event_bytes == 1024 * 1024
    assert decode_event(raw).dialogue_id == KEY


def test_an_event_one_byte_larger_is_too_large() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_event(event_at_the_limit() + b"\x00")
    assert caught.value.reason == "too_large"


def test_the_largest_event_passes_as_a_deferred_question() -> None:
    raw = deferred_at_the_limit()
    assert LIMITS.event_bytes < len(raw) <= LIMITS.deferred_bytes
    assert decode_deferred(raw).record == event_at_the_limit()


@pytest.mark.parametrize("kind", ["event", "deferred"])
def test_the_largest_record_passes_whole_as_a_dead_letter(kind: str) -> None:
    original = event_at_the_limit() if kind == "event" else deferred_at_the_limit()
    output = dead_letter_output(
        make.record(original, key=KEY.encode(), topic="p" * 249),
        reason="r" * LIMITS.name_chars,
        detail="说" * LIMITS.detail_chars,
        role="resolver",
        now_ms=make.NOW_MS,
    )
    letter = decode_dead_letter(output.value)
    assert letter.record == original
    assert not letter.cut
    assert len(output.value) <= LIMITS.dead_letter_bytes
    assert kafka_bytes(output) <= int(TOPICS["dead_letters"].config["max.message.bytes"])


@pytest.mark.parametrize("kind", ["events", "deferred"])
def test_the_brokers_limit_leaves_room_for_key_and_framing(kind: Kind) -> None:
    topic = TOPICS[kind]
    largest = Output(kind=kind, key=KEY.encode(), value=bytes(topic.record_bytes))
    assert kafka_bytes(largest) <= int(topic.config["max.message.bytes"])


def test_what_is_larger_than_a_dead_letter_may_hold_is_cut_and_says_so() -> None:
    original = bytes(LIMITS.deferred_bytes + 1)
    letter = dead_letter(
        make.record(original), reason="too_large", detail="", role="tagger", now_ms=0
    )
    assert letter.cut
    assert letter.record == original[:-1]
    assert letter.record_length == LIMITS.deferred_bytes + 1
    assert decode_dead_letter(encode_dead_letter(letter)) == letter


def test_a_tag_with_every_field_at_its_limit_fits_into_a_tag_record() -> None:
    name, identifier = "名" * LIMITS.name_chars, "名" * LIMITS.id_chars
    tag = make.tag(
        domain=name,
        event_id=identifier,
        dialogue_id=identifier,
        task=name,
        image_id=identifier,
        label=name,
        candidates=tuple(Candidate(label=name, probability=1 / 3) for _ in range(3)),
        reason=name,
        degraded=name,
        rules=(name,) * LIMITS.rules_per_tag,
        bundle=make.RELEASE,
    )
    raw = encode_tag(tag)
    assert len(raw) <= LIMITS.tag_bytes
    assert decode_tag(raw) == tag
