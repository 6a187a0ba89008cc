"""The wire format refuses by name what is not a record of ours."""

from typing import Any

import msgpack
import pytest

from streams.codec import (
    decode_deferred,
    decode_event,
    decode_tag,
    encode_deferred,
    encode_event,
    encode_shadow,
    encode_tag,
    shadow_fields,
    tag_fields,
)
from streams.errors import InvalidRecord
from streams.limits import LIMITS
from streams.shadow_records import ShadowAnswer, ShadowDifference
from tests import factories as make


def changed(raw: bytes, **fields: Any) -> bytes:
    """A record with some of its fields replaced."""
    packed: bytes = msgpack.packb({**msgpack.unpackb(raw), **fields})
    return packed


def reason_of(raw: bytes) -> str:
    with pytest.raises(InvalidRecord) as caught:
        decode_event(raw)
    return caught.value.reason


EVENT = encode_event(make.event())
IMAGE = {"image_id": "i1"}


def turn(**fields: Any) -> dict[str, Any]:
    return {"speaker": "user", "text": "hi", **fields}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"garbage",
        b'{"v": "1.0"}',
        EVENT[:-1],
        EVENT + b"\x00",
        b"\xff" * 100,
        msgpack.packb([1, 2]),
        msgpack.packb({}),
        msgpack.packb({1: 2}),
        msgpack.packb({"v": msgpack.ExtType(5, b"x")}),
        b"\x81\xa1v\xa3\xed\xa0\x80",  # a lone surrogate is no UTF-8
    ],
)
def test_garbage_is_undecodable(raw: bytes) -> None:
    assert reason_of(raw) == "undecodable"


def test_deep_messagepack_is_undecodable() -> None:
    nested = b"\x91" * 100_000 + b"\x00"
    assert reason_of(b"\x82\xa1v\xa31.0\xa1x" + nested) == "undecodable"
    assert reason_of(b"\x81\xa1x" * 100_000 + b"\x00") == "undecodable"


def test_a_list_that_claims_millions_of_items_is_undecodable() -> None:
    assert reason_of(b"\x82\xa1v\xa31.0\xa1x\xdd\x7f\xff\xff\xff") == "undecodable"


def test_a_list_with_too_many_items_is_undecodable_even_in_an_unknown_field() -> None:
    assert reason_of(changed(EVENT, later=[0] * (LIMITS.list_items + 1))) == "undecodable"
    assert decode_event(changed(EVENT, later=[0] * LIMITS.list_items)) == make.event()


def test_a_map_with_too_many_fields_is_undecodable() -> None:
    assert reason_of(changed(EVENT, later={str(n): n for n in range(65)})) == "undecodable"


def test_more_bytes_than_an_event_may_have_are_too_large() -> None:
    assert reason_of(bytes(LIMITS.event_bytes + 1)) == "too_large"


@pytest.mark.parametrize(
    "fields",
    [
        {"domain": ""},
        {"domain": "x" * (LIMITS.name_chars + 1)},
        {"event_id": 7},
        {"event_id": "x" * (LIMITS.id_chars + 1)},
        {"dialogue_id": None},
        {"sent_at_ms": -1},
        {"sent_at_ms": "now"},
        {"sent_at_ms": 2**63},
        {"first_turn_index": LIMITS.first_turn_index + 1},
        {"turns": []},
        {"turns": {}},
        {"turns": ["hi"]},
        {"turns": [turn()] * (LIMITS.turns + 1)},
        {"turns": [turn(speaker="bot")]},
        {"turns": [turn(text=None)]},
        {"turns": [turn(text="x" * (LIMITS.text_chars + 1))]},
        {"turns": [turn(images=[{}])]},
        {"turns": [turn(images=[{**IMAGE, "content": "text"}])]},
        {"turns": [turn(images=[{**IMAGE, "uri": "u" * (LIMITS.uri_chars + 1)}])]},
        {"turns": [turn(images=[IMAGE, IMAGE])]},
        {"turns": [turn(images=[IMAGE]), turn(images=[IMAGE])]},
        {"turns": [turn(images=[{"image_id": str(n)} for n in range(17)])]},
        {"turns": [turn(images=[{"image_id": f"{t}{n}"} for n in range(9)]) for t in "ab"]},
        {"tasks": "intent"},
        {"tasks": [""]},
        {"tasks": ["intent"] * (LIMITS.tasks + 1)},
    ],
)
def test_wrong_types_and_broken_bounds_are_undecodable(fields: dict[str, Any]) -> None:
    assert reason_of(changed(EVENT, **fields)) == "undecodable"


def test_inline_images_that_are_too_large_together_have_a_reason_of_their_own() -> None:
    half = LIMITS.inline_images_bytes // 2

    def raw(extra: int) -> bytes:
        images = (make.image("a", bytes(half)), make.image("b", bytes(half + extra)))
        return encode_event(make.event(make.user("", *images)))

    assert len(decode_event(raw(0)).turns[0].images) == 2
    assert reason_of(raw(1)) == "image_too_large"


def test_fields_that_are_nil_count_as_left_out() -> None:
    nil = {"tasks": None, "first_turn_index": None}
    turns = [turn(text="where is it", images=None)]
    assert decode_event(changed(EVENT, turns=turns, **nil)) == make.event()


def test_a_refusal_never_quotes_the_record() -> None:
    for raw in (b"my card is 4242", changed(EVENT, turns=[turn(speaker="my card is 4242")])):
        with pytest.raises(InvalidRecord) as caught:
            decode_event(raw)
        assert "4242" not in caught.value.detail


def test_a_tag_whose_id_is_not_its_own_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="tag_id"):
        decode_tag(changed(encode_tag(make.tag()), event_id="e2"))


@pytest.mark.parametrize(
    "fields",
    [
        {"confidence": float("nan")},
        {"confidence": 1.5},
        {"source": "guess"},
        {"candidates": []},
        {"candidates": [{"label": "refund", "probability": 0.2}] * 4},
        {"rules": [""]},
        {"release": None},
    ],
)
def test_a_tag_out_of_its_bounds_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord):
        decode_tag(changed(encode_tag(make.tag()), **fields))


def test_the_fields_of_a_tag_are_those_that_are_promised() -> None:
    promised = [
        "tag_id",
        "event_id",
        "dialogue_id",
        "task",
        "image_id",
        "label",
        "confidence",
        "source",
        "degraded",
        "candidates",
        "rules",
        "reason",
        "release",
        "bundle",
    ]
    fields = tag_fields(make.tag())
    assert set(promised) <= set(fields)
    assert fields["candidates"] == [{"label": "refund", "probability": 0.9}]


def test_a_shadows_abstention_is_told_in_json_and_left_out_on_the_wire() -> None:
    answer = ShadowAnswer(
        label=None, confidence=0.5, source="abstained", reason="no_rule", rules=()
    )
    difference = ShadowDifference(
        domain="shop",
        role="tagger",
        event_id="e1",
        dialogue_id="d1",
        turn_index=0,
        sent_at_ms=0,
        task="intent",
        image_id=None,
        active="r",
        shadow="s",
        answered=answer,
        instead=None,
        open_reason="needs_screen",
        compared_at_ms=0,
    )
    fields = shadow_fields(difference)
    assert fields["kind"] == "difference"
    assert fields["answered"] == {
        "label": None,
        "confidence": 0.5,
        "source": "abstained",
        "reason": "no_rule",
        "rules": [],
    }
    assert (fields["image_id"], fields["instead"]) == (None, None)
    written = msgpack.unpackb(encode_shadow(difference))
    assert "label" not in written["answered"]
    assert not {"image_id", "instead"} & set(written)


def test_a_deferred_question_without_questions_is_refused() -> None:
    raw = changed(encode_deferred(make.deferred(EVENT)), questions=[])
    with pytest.raises(InvalidRecord):
        decode_deferred(raw)


def test_a_deferred_question_keeps_fields_of_later_minors() -> None:
    later = changed(EVENT, v="1.9", priority=3)
    assert decode_deferred(encode_deferred(make.deferred(later))).record == later
