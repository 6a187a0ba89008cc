"""Records, and the dead letter that a failed one becomes."""

import hashlib

import pytest
from aiokafka import ConsumerRecord

from streams.kafka import to_record
from streams.limits import LIMITS
from streams.records import ATTEMPTS_HEADER, REDRIVEN_HEADER, dead_letter
from tests import factories as make


@pytest.mark.parametrize(
    ("headers", "attempts"),
    [
        ((), 1),
        (((ATTEMPTS_HEADER, b"1"),), 2),
        (((ATTEMPTS_HEADER, b"41"), (ATTEMPTS_HEADER, b"7")), 42),
        (((ATTEMPTS_HEADER, b""),), 1),
        (((ATTEMPTS_HEADER, b"-3"),), 1),
        (((ATTEMPTS_HEADER, b"many"),), 1),
        (((ATTEMPTS_HEADER, b"9999999"),), 1),
        ((("else", b"5"),), 1),
    ],
)
def test_attempts_count_from_the_header_and_garbage_counts_nothing(
    headers: tuple[tuple[str, bytes], ...], attempts: int
) -> None:
    assert make.record(b"", headers=headers).attempts == attempts


def test_a_record_is_redriven_when_its_header_says_so() -> None:
    assert make.record(b"", headers=((REDRIVEN_HEADER, b""),)).redriven
    assert not make.record(b"").redriven


def test_a_dead_letter_tells_reason_origin_and_original() -> None:
    record = make.record(b"\xc1", headers=((ATTEMPTS_HEADER, b"1"),))
    letter = dead_letter(record, reason="undecodable", detail="why", role="tagger", now_ms=9)
    assert letter == make.dead_letter(
        detail="why",
        timestamp_ms=record.timestamp_ms,
        record_sha256=hashlib.sha256(b"\xc1").hexdigest(),
        attempts=2,
        failed_at_ms=9,
    )


def test_reason_and_detail_are_cut_to_their_bounds() -> None:
    letter = dead_letter(
        make.record(b""), reason="r" * 999, detail="d" * 9999, role="tagger", now_ms=0
    )
    assert len(letter.reason) == LIMITS.name_chars
    assert len(letter.detail) == LIMITS.detail_chars


@pytest.mark.parametrize(("given", "timestamp_ms"), [(None, 0), (-1, 0), (0, 0), (7, 7)])
def test_a_record_sent_without_a_timestamp_has_that_of_the_epoch(
    given: int | None, timestamp_ms: int
) -> None:
    """The client gives None for what Kafka keeps as -1."""
    sent = ConsumerRecord("t", 0, 3, given, 0, b"k", b"v", None, 1, 1, ())
    assert to_record(sent).timestamp_ms == timestamp_ms


def test_a_missing_key_and_value_stay_missing() -> None:
    record = make.record(None, key=None, timestamp_ms=0)
    letter = dead_letter(record, reason="r", detail="", role="tagger", now_ms=0)
    assert (letter.key, letter.record, letter.timestamp_ms) == (None, None, 0)
    assert (letter.record_length, letter.cut) == (0, False)
    assert letter.record_sha256 == hashlib.sha256(b"").hexdigest()


def test_an_original_whose_key_was_cut_is_cut_so_that_it_is_not_redriven_elsewhere() -> None:
    longest = LIMITS.envelope_bytes // 4
    whole, cut = (
        dead_letter(
            make.record(b"x", key=bytes(length)), reason="r", detail="", role="tagger", now_ms=0
        )
        for length in (longest, longest + 1)
    )
    assert (whole.key, whole.cut) == (bytes(longest), False)
    assert (cut.key, cut.cut) == (bytes(longest), True)
