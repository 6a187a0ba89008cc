"""Records of wire version 1.0, byte for byte: what is in a topic today stays readable.

`golden/<name>-1.0.hex` holds a record's MessagePack in hexadecimal. A later version of the wire
adds files beside these and changes none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack
import pytest

from streams.codec import (
    decode_alert,
    decode_dead_letter,
    decode_deferred,
    decode_event,
    decode_feedback,
    decode_shadow,
    decode_status,
    decode_tag,
    encode_alert,
    encode_dead_letter,
    encode_deferred,
    encode_event,
    encode_feedback,
    encode_shadow,
    encode_status,
    encode_tag,
)
from streams.errors import DecodeError, UnknownVersion
from streams.events import (
    Alert,
    Candidate,
    DeadLetter,
    Deferred,
    DialogueEvent,
    Feedback,
    ImageRef,
    OpenQuestion,
    Question,
    RefusedRelease,
    ReleaseInForce,
    Tag,
    Turn,
    WorkerStatus,
)
from streams.shadow_records import ShadowAnswer, ShadowCounts, ShadowDifference, ShadowTally

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A golden record: the value it stands for and the two functions between value and bytes."""

    value: Any
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


KINDS = {
    "event-minimal": Kind(
        value=DialogueEvent(
            domain="shop",
            event_id="e1",
            dialogue_id="d1",
            sent_at_ms=1_700_000_000_000,
            turns=(Turn(speaker="user", text="hi"),),
        ),
        encode=encode_event,
        decode=decode_event,
    ),
    "event": Kind(
        value=DialogueEvent(
            domain="shop",
            event_id="e2",
            dialogue_id="d1",
            sent_at_ms=1_700_000_000_001,
            turns=(
                Turn(speaker="agent", text="您好 👋"),
                Turn(
                    speaker="user",
                    text="",
                    images=(
                        ImageRef(image_id="unread"),
                        ImageRef(
                            image_id="inline",
                            sha256="ab" * 32,
                            media_type="image/png",
                            content=b"\x89PNG\x00\xff",
                        ),
                        ImageRef(image_id="stored", uri="https://images.example/shop/1.png"),
                    ),
                ),
            ),
            first_turn_index=7,
            tasks=("scene", "intent"),
        ),
        encode=encode_event,
        decode=decode_event,
    ),
    "deferred": Kind(
        value=Deferred(
            record=b"\x81\xa1v\xa31.0",
            questions=(
                OpenQuestion(question=Question(task="intent"), reason="no_rule"),
                OpenQuestion(
                    question=Question(task="scene", image_id="inline"), reason="needs_screen"
                ),
            ),
            accepted_at_ms=1_700_000_000_002,
            release="sha256:" + "0" * 64,
            redriven=True,
        ),
        encode=encode_deferred,
        decode=decode_deferred,
    ),
    "tag": Kind(
        value=Tag(
            domain="shop",
            event_id="e2",
            dialogue_id="d1",
            turn_index=8,
            sent_at_ms=1_700_000_000_001,
            task="scene",
            image_id="inline",
            label="receipt",
            confidence=0.75,
            candidates=(
                Candidate(label="receipt", probability=0.75),
                Candidate(label="chat", probability=0.25),
            ),
            source="fusion",
            reason=None,
            degraded=None,
            rules=("0123456789abcdef",),
            release="sha256:" + "0" * 64,
            bundle="sha256:" + "1" * 64,
            accepted_at_ms=1_700_000_000_002,
            decided_at_ms=1_700_000_000_003,
            took_us=1234,
        ),
        encode=encode_tag,
        decode=decode_tag,
    ),
    "tag-abstained": Kind(
        value=Tag(
            domain="shop",
            event_id="e2",
            dialogue_id="d1",
            turn_index=8,
            sent_at_ms=1_700_000_000_001,
            task="intent",
            image_id=None,
            label=None,
            confidence=0.5,
            candidates=(Candidate(label="track", probability=0.5),),
            source="abstained",
            reason="no_rule",
            degraded="too_late",
            rules=(),
            release="sha256:" + "0" * 64,
            bundle=None,
        ),
        encode=encode_tag,
        decode=decode_tag,
    ),
    "alert": Kind(
        value=Alert(
            alert_id="00112233445566778899aabbccddeeff",
            domain="shop",
            dialogue_id="d1",
            event_id="e2",
            tag_id="ffeeddccbbaa99887766554433221100",
            policy="complaint",
            task="scene",
            image_id="inline",
            label="receipt",
            confidence=0.75,
            turn_index=8,
            sent_at_ms=1_700_000_000_001,
            window_start_ms=1_699_999_200_000,
            raised_at_ms=1_700_000_000_004,
        ),
        encode=encode_alert,
        decode=decode_alert,
    ),
    "feedback": Kind(
        value=Feedback(
            domain="shop",
            event_id="e2",
            dialogue_id="d1",
            tag_id="ffeeddccbbaa99887766554433221100",
            task="intent",
            image_id=None,
            label=None,
            operator_id="op-7",
            given_at_ms=1_700_000_000_005,
            note="nothing of ours",
        ),
        encode=encode_feedback,
        decode=decode_feedback,
    ),
    "shadow-difference": Kind(
        value=ShadowDifference(
            domain="shop",
            role="resolver",
            event_id="e2",
            dialogue_id="d1",
            turn_index=8,
            sent_at_ms=1_700_000_000_001,
            task="scene",
            image_id="inline",
            active="sha256:" + "0" * 64,
            shadow="sha256:" + "3" * 64,
            answered=ShadowAnswer(
                label="receipt",
                confidence=0.75,
                source="fusion",
                reason=None,
                rules=("0123456789abcdef",),
            ),
            instead=ShadowAnswer(
                label=None, confidence=0.5, source="abstained", reason="conflict", rules=()
            ),
            open_reason=None,
            compared_at_ms=1_700_000_000_009,
        ),
        encode=encode_shadow,
        decode=decode_shadow,
    ),
    "shadow-difference-open": Kind(
        value=ShadowDifference(
            domain="shop",
            role="tagger",
            event_id="e2",
            dialogue_id="d1",
            turn_index=8,
            sent_at_ms=1_700_000_000_001,
            task="intent",
            image_id=None,
            active="sha256:" + "0" * 64,
            shadow="sha256:" + "3" * 64,
            answered=ShadowAnswer(
                label="track",
                confidence=1.0,
                source="rules",
                reason=None,
                rules=("0123456789abcdef", "fedcba9876543210"),
            ),
            instead=None,
            open_reason="needs_screen",
            compared_at_ms=1_700_000_000_009,
        ),
        encode=encode_shadow,
        decode=decode_shadow,
    ),
    "shadow-counts": Kind(
        value=ShadowCounts(
            domain="shop",
            role="resolver",
            worker="shop-resolver-pod-0",
            active="sha256:" + "0" * 64,
            shadow="sha256:" + "3" * 64,
            tallies=(
                ShadowTally(task="intent", same=4_294_967_296, differs=128, open=1),
                ShadowTally(task="scene", skipped=70_000),
            ),
            at_ms=1_700_000_000_010,
        ),
        encode=encode_shadow,
        decode=decode_shadow,
    ),
    "dead-letter": Kind(
        value=DeadLetter(
            reason="undecodable",
            detail="event is not MessagePack: ValueError",
            role="tagger",
            topic="dialogue.events",
            partition=3,
            offset=4_294_967_296,
            timestamp_ms=1_700_000_000_002,
            key=b"d1",
            record=b"\xc1",
            record_sha256="c1" * 32,
            record_length=1,
            cut=False,
            attempts=2,
            failed_at_ms=1_700_000_000_006,
        ),
        encode=encode_dead_letter,
        decode=decode_dead_letter,
    ),
    "dead-letter-tombstone": Kind(
        value=DeadLetter(
            reason="undecodable",
            detail="",
            role="alerter",
            topic="dialogue.tags",
            partition=0,
            offset=0,
            timestamp_ms=0,
            key=None,
            record=None,
            record_sha256="e3" * 32,
            record_length=0,
            cut=False,
            attempts=1,
            failed_at_ms=0,
        ),
        encode=encode_dead_letter,
        decode=decode_dead_letter,
    ),
    "status": Kind(
        value=WorkerStatus(
            worker="shop-resolver-pod-0",
            role="resolver",
            domain="shop",
            version="0.1.0",
            at_ms=1_700_000_000_007,
            interval_ms=5000,
            labels_digest="2" * 64,
            in_force=ReleaseInForce(
                digest="sha256:" + "0" * 64,
                sequence=7,
                since_ms=1_700_000_000_000,
                shadow="sha256:" + "3" * 64,
            ),
            refusal=RefusedRelease(
                digest="sha256:" + "4" * 64,
                why="release sha256:… refused: this release carries no signature",
                at_ms=1_700_000_000_006,
            ),
            bundle="sha256:" + "1" * 64,
            uses_fitted_weights=False,
            lag=42,
            obstacles=("no broker answers at kafka:9092",),
        ),
        encode=encode_status,
        decode=decode_status,
    ),
    "status-stopped": Kind(
        value=WorkerStatus(
            worker="shop-alerter-0123456789ab",
            role="alerter",
            domain="shop",
            version="0.1.0",
            at_ms=1_700_000_000_008,
            interval_ms=5000,
            stopped=True,
        ),
        encode=encode_status,
        decode=decode_status,
    ),
}

every_kind = pytest.mark.parametrize("name", KINDS)


def golden(name: str) -> bytes:
    return bytes.fromhex((GOLDEN / f"{name}-1.0.hex").read_text(encoding="ascii"))


def with_fields(name: str, **fields: object) -> bytes:
    """The golden record, its fields added to or replaced."""
    packed: bytes = msgpack.packb({**msgpack.unpackb(golden(name)), **fields})
    return packed


def test_every_golden_file_belongs_to_a_kind() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}-1.0.hex" for name in KINDS}


@every_kind
def test_golden_bytes_decode_to_the_known_value(name: str) -> None:
    assert KINDS[name].decode(golden(name)) == KINDS[name].value


@every_kind
def test_the_known_value_encodes_to_the_golden_bytes(name: str) -> None:
    assert KINDS[name].encode(KINDS[name].value) == golden(name)


@every_kind
def test_a_later_minor_with_more_fields_decodes_to_the_same_value(name: str) -> None:
    later = with_fields(name, v="1.7", priority=3, extra={"deep": [1, {"er": None}], "b": b"\x00"})
    assert KINDS[name].decode(later) == KINDS[name].value


@every_kind
@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0"])
def test_another_major_is_an_unknown_version(name: str, version: str) -> None:
    with pytest.raises(UnknownVersion) as caught:
        KINDS[name].decode(with_fields(name, v=version))
    assert caught.value.reason == "unknown_version"


@every_kind
@pytest.mark.parametrize("version", ["1", "", "1.", ".0", "1.x", "一.0", "1.0-beta", 1.0, None])
def test_what_is_no_version_is_undecodable(name: str, version: object) -> None:
    with pytest.raises(DecodeError) as caught:
        KINDS[name].decode(with_fields(name, v=version))
    assert caught.value.reason == "undecodable"


def test_the_version_stands_first_so_that_other_readers_find_it() -> None:
    assert all(next(iter(msgpack.unpackb(golden(name)))) == "v" for name in KINDS)
