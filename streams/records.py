"""Kafka records as values, and the dead letter that a failed one becomes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.codec import encode_dead_letter
from streams.events import DeadLetter
from streams.limits import LIMITS
from streams.topics import Kind

Headers = tuple[tuple[str, bytes], ...]

# A redriven record says how often it was tried before; it also waives deadlines.
ATTEMPTS_HEADER = "kdsl-attempts"
REDRIVEN_HEADER = "redriven"

# A key of ours is a dialogue id; a longer one is a stranger's.
_KEY_BYTES = LIMITS.envelope_bytes // 4


def headers_of(headers: Any) -> Headers:
    """A client's headers, pairs or a mapping, as ours; a null value is an empty one.

    >>> headers_of([("trace", b"1"), ("flag", None)])
    (('trace', b'1'), ('flag', b''))
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return tuple((str(name), bytes(value or b"")) for name, value in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it was read.

    timestamp_ms: never negative; 0 when it was sent without one.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    def header(self, name: str) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def attempts(self) -> int:
        """How often it has been tried, this time included."""
        earlier = self.header(ATTEMPTS_HEADER) or b"0"
        return 1 + (int(earlier) if earlier.isdigit() and len(earlier) <= 6 else 0)

    @property
    def redriven(self) -> bool:
        return self.header(REDRIVEN_HEADER) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A record to be sent; `kind` names the topic."""

    kind: Kind
    key: bytes | None
    value: bytes
    headers: Headers = ()


def dead_letter(record: Record, *, reason: str, detail: str, role: str, now_ms: int) -> DeadLetter:
    """The dead letter of a record: whole when it fits, else cut, with digest and length."""
    key, value = record.key or b"", record.value or b""
    room = LIMITS.deferred_bytes
    return DeadLetter(
        reason=reason[: LIMITS.name_chars],
        detail=detail[: LIMITS.detail_chars],
        role=role,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp_ms,
        key=None if record.key is None else key[:_KEY_BYTES],
        record=None if record.value is None else value[:room],
        record_sha256=hashlib.sha256(value).hexdigest(),
        record_length=len(value),
        cut=len(value) > room or len(key) > _KEY_BYTES,
        attempts=record.attempts,
        failed_at_ms=now_ms,
    )


def dead_letter_output(
    record: Record, *, reason: str, detail: str, role: str, now_ms: int
) -> Output:
    """The record that goes to the dead-letter topic, under the original key."""
    letter = dead_letter(record, reason=reason, detail=detail, role=role, now_ms=now_ms)
    return Output(kind="dead_letters", key=letter.key, value=encode_dead_letter(letter))
