"""The one table of bounds on everything that comes from outside."""

from dataclasses import dataclass

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Upper bounds; what exceeds one is refused by name, never cut silently.

    The record sizes derive from each other, so that a record at its limit passes every hop: a
    deferred question and a dead letter hold the original record plus an envelope, and inline
    images leave room in an event for its texts.

    event_bytes: a whole record on `dialogue.events`.
    inline_images_bytes: all inline images of one event together; larger ones go by reference.
    envelope_bytes: what a deferred question or a dead letter adds to the original record.
    record_overhead_bytes: Kafka's own framing of a one-record batch (61 + 9 bytes), key, headers.
    event_text_chars: all texts of an event together; one character can fold to eighteen.
    image_bytes: one image, inline or fetched. image_pixels, image_side: checked before decoding.
    list_items: of any list of a record, known or not; far above those we know.
    worker_chars: a worker's id: domain, role and stable name (of 240 characters at most).
    obstacles: what a worker's status names of what it waits for; there are six parts that say so.
    """

    event_bytes: int = 1 * _MIB
    inline_images_bytes: int = 700 * _KIB
    envelope_bytes: int = 64 * _KIB
    record_overhead_bytes: int = 16 * _KIB
    tag_bytes: int = 64 * _KIB
    release_bytes: int = 16 * _MIB
    image_bytes: int = 5 * _MIB
    image_pixels: int = 20_000_000
    image_side: int = 8192
    image_fetch_s: float = 10.0
    turns: int = 200
    first_turn_index: int = 2**31 - 1
    text_chars: int = 8000
    event_text_chars: int = 100_000
    images_per_turn: int = 16
    images_per_event: int = 16
    tasks: int = 8
    rules_per_tag: int = 64
    id_chars: int = 128
    name_chars: int = 64
    uri_chars: int = 2048
    detail_chars: int = 1000
    list_items: int = 1024
    worker_chars: int = 320
    obstacles: int = 8

    @property
    def deferred_bytes(self) -> int:
        return self.event_bytes + self.envelope_bytes

    @property
    def dead_letter_bytes(self) -> int:
        """A dead letter may hold any record of ours whole, a deferred one being the largest."""
        return self.deferred_bytes + self.envelope_bytes


LIMITS = Limits()
