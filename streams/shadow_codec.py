"""Records of `dialogue.shadow` ⇄ differences and counts, told apart by `kind`."""

from collections.abc import Mapping
from typing import Any, assert_never, cast, get_args

from streams.events import Source
from streams.fields import Fields
from streams.limits import LIMITS
from streams.shadow_records import (
    ShadowAnswer,
    ShadowCounts,
    ShadowDifference,
    ShadowRecord,
    ShadowTally,
)
from streams.wire import DIGEST_CHARS, pack, present, unpack

_SOURCES = get_args(Source)
_KINDS = ("difference", "counts")


def shadow_fields(record: ShadowRecord) -> dict[str, Any]:
    """Every field of a record, in order; lists and maps only, as JSON wants them."""
    match record:
        case ShadowDifference():
            inner = {
                "answered": _answer_fields(record.answered),
                "instead": None if record.instead is None else _answer_fields(record.instead),
            }
            return {"kind": "difference", **_shallow(record), **inner}
        case ShadowCounts():
            tallies = [_shallow(tally) for tally in record.tallies]
            return {"kind": "counts", **_shallow(record), "tallies": tallies}
        case _:
            assert_never(record)


def _shallow(value: ShadowRecord | ShadowTally | ShadowAnswer) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__slots__}


def _answer_fields(answer: ShadowAnswer) -> Mapping[str, Any]:
    return {**_shallow(answer), "rules": list(answer.rules)}


def encode_shadow(record: ShadowRecord) -> bytes:
    fields = shadow_fields(record)
    for name in ("answered", "instead"):
        if fields.get(name) is not None:
            fields[name] = present(fields[name])
    return pack(fields)


def decode_shadow(raw: bytes) -> ShadowRecord:
    """Read a record of `dialogue.shadow`.

    Raises:
        InvalidRecord: it is none.
    """
    fields = unpack(raw, kind="shadow", limit=LIMITS.tag_bytes)
    if fields.one_of("kind", _KINDS) == "counts":
        return _read_counts(fields)
    return _read_difference(fields)


def _read_difference(fields: Fields) -> ShadowDifference:
    return ShadowDifference(
        domain=fields.text("domain", LIMITS.name_chars),
        role=fields.text("role", LIMITS.name_chars),
        event_id=fields.text("event_id", LIMITS.id_chars),
        dialogue_id=fields.text("dialogue_id", LIMITS.id_chars),
        turn_index=fields.integer("turn_index"),
        sent_at_ms=fields.integer("sent_at_ms"),
        task=fields.text("task", LIMITS.name_chars),
        image_id=fields.text_or_none("image_id", LIMITS.id_chars),
        active=fields.text("active", DIGEST_CHARS),
        shadow=fields.text("shadow", DIGEST_CHARS),
        answered=fields.one("answered", _read_answer),
        instead=fields.one_or_none("instead", _read_answer),
        open_reason=fields.text_or_none("open_reason", LIMITS.name_chars),
        compared_at_ms=fields.integer("compared_at_ms"),
    )


def _read_answer(fields: Fields) -> ShadowAnswer:
    return ShadowAnswer(
        label=fields.text_or_none("label", LIMITS.name_chars),
        confidence=fields.number("confidence"),
        source=cast("Source", fields.one_of("source", _SOURCES)),
        reason=fields.text_or_none("reason", LIMITS.name_chars),
        rules=fields.texts("rules", LIMITS.rules_per_tag, LIMITS.name_chars),
    )


def _read_counts(fields: Fields) -> ShadowCounts:
    return ShadowCounts(
        domain=fields.text("domain", LIMITS.name_chars),
        role=fields.text("role", LIMITS.name_chars),
        worker=fields.text("worker", LIMITS.worker_chars),
        active=fields.text("active", DIGEST_CHARS),
        shadow=fields.text("shadow", DIGEST_CHARS),
        tallies=fields.many("tallies", LIMITS.tasks, _read_tally, at_least=1),
        at_ms=fields.integer("at_ms"),
    )


def _read_tally(fields: Fields) -> ShadowTally:
    return ShadowTally(
        task=fields.text("task", LIMITS.name_chars),
        same=fields.integer("same"),
        differs=fields.integer("differs"),
        open=fields.integer("open"),
        skipped=fields.integer("skipped"),
    )
