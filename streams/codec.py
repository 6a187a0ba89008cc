"""Records ⇄ events; what knows the wire format: this, the other codecs, `wire` and `fields`.

Every record is a map with a version `v` = "major.minor". A minor version only adds optional
fields, so every reader of a major takes it; an unknown major is refused by name.
"""

from typing import Any, cast, get_args

from streams.errors import DecodeError
from streams.event_bounds import check_bounds
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
    Source,
    Speaker,
    Tag,
    Turn,
)
from streams.fields import Fields
from streams.limits import LIMITS
from streams.shadow_codec import decode_shadow as decode_shadow
from streams.shadow_codec import encode_shadow as encode_shadow
from streams.shadow_codec import shadow_fields as shadow_fields
from streams.status_codec import decode_status as decode_status
from streams.status_codec import encode_status as encode_status
from streams.status_codec import status_fields as status_fields
from streams.wire import DIGEST_CHARS, pack, present, unpack

_SPEAKERS = get_args(Speaker)
_SOURCES = get_args(Source)


# DialogueEvent


def encode_event(event: DialogueEvent) -> bytes:
    return pack(
        {
            "domain": event.domain,
            "event_id": event.event_id,
            "dialogue_id": event.dialogue_id,
            "sent_at_ms": event.sent_at_ms,
            "turns": [_turn_map(turn) for turn in event.turns],
            "first_turn_index": event.first_turn_index or None,
            "tasks": None if event.tasks is None else list(event.tasks),
        }
    )


def _turn_map(turn: Turn) -> dict[str, Any]:
    fields: dict[str, Any] = {"speaker": turn.speaker, "text": turn.text}
    if turn.images:
        fields["images"] = [_image_map(image) for image in turn.images]
    return fields


def _image_map(image: ImageRef) -> dict[str, Any]:
    return present(
        {
            "image_id": image.image_id,
            "sha256": image.sha256,
            "media_type": image.media_type,
            "content": image.content,
            "uri": image.uri,
        }
    )


def decode_event(raw: bytes) -> DialogueEvent:
    """Read a record of `dialogue.events`.

    Raises:
        InvalidRecord: with the reason for the dead-letter topic.
    """
    fields = unpack(raw, kind="event", limit=LIMITS.event_bytes)
    event = DialogueEvent(
        domain=fields.text("domain", LIMITS.name_chars),
        event_id=fields.text("event_id", LIMITS.id_chars),
        dialogue_id=fields.text("dialogue_id", LIMITS.id_chars),
        sent_at_ms=fields.integer("sent_at_ms"),
        turns=fields.many("turns", LIMITS.turns, _read_turn, at_least=1),
        first_turn_index=fields.integer(
            "first_turn_index", default=0, most=LIMITS.first_turn_index
        ),
        tasks=fields.texts_or_none("tasks", LIMITS.tasks, LIMITS.name_chars),
    )
    check_bounds(event)
    return event


def _read_turn(fields: Fields) -> Turn:
    return Turn(
        speaker=cast("Speaker", fields.one_of("speaker", _SPEAKERS)),
        text=fields.text("text", LIMITS.text_chars, empty=True),
        images=fields.many("images", LIMITS.images_per_turn, _read_image),
    )


def _read_image(fields: Fields) -> ImageRef:
    return ImageRef(
        image_id=fields.text("image_id", LIMITS.id_chars),
        sha256=fields.text_or_none("sha256", 64),
        media_type=fields.text_or_none("media_type", LIMITS.name_chars),
        content=fields.octets_or_none("content", LIMITS.image_bytes),
        uri=fields.text_or_none("uri", LIMITS.uri_chars),
    )


# Deferred


def encode_deferred(deferred: Deferred) -> bytes:
    questions = [
        present(
            {
                "task": open_question.question.task,
                "image_id": open_question.question.image_id,
                "reason": open_question.reason,
            }
        )
        for open_question in deferred.questions
    ]
    return pack(
        {
            "record": deferred.record,
            "questions": questions,
            "accepted_at_ms": deferred.accepted_at_ms,
            "release": deferred.release,
            "redriven": deferred.redriven or None,
        }
    )


def decode_deferred(raw: bytes) -> Deferred:
    """Read a record of `dialogue.deferred`."""
    fields = unpack(raw, kind="deferred", limit=LIMITS.deferred_bytes)
    return Deferred(
        record=fields.octets("record", LIMITS.event_bytes),
        questions=fields.many(
            "questions", LIMITS.images_per_event + LIMITS.tasks, _read_open_question, at_least=1
        ),
        accepted_at_ms=fields.integer("accepted_at_ms"),
        release=fields.text("release", DIGEST_CHARS),
        redriven=fields.flag("redriven", default=False),
    )


def _read_open_question(fields: Fields) -> OpenQuestion:
    return OpenQuestion(
        question=Question(
            task=fields.text("task", LIMITS.name_chars),
            image_id=fields.text_or_none("image_id", LIMITS.id_chars),
        ),
        reason=fields.text("reason", LIMITS.name_chars),
    )


# Tag


def tag_fields(tag: Tag) -> dict[str, Any]:
    """Every field of a tag, in order, with `tag_id`; lists and maps only, as JSON wants them."""
    return {
        "tag_id": tag.tag_id,
        "domain": tag.domain,
        "event_id": tag.event_id,
        "dialogue_id": tag.dialogue_id,
        "turn_index": tag.turn_index,
        "sent_at_ms": tag.sent_at_ms,
        "task": tag.task,
        "image_id": tag.image_id,
        "label": tag.label,
        "confidence": tag.confidence,
        "source": tag.source,
        "degraded": tag.degraded,
        "candidates": [
            {"label": candidate.label, "probability": candidate.probability}
            for candidate in tag.candidates
        ],
        "rules": list(tag.rules),
        "reason": tag.reason,
        "release": tag.release,
        "bundle": tag.bundle,
        "accepted_at_ms": tag.accepted_at_ms,
        "decided_at_ms": tag.decided_at_ms,
        "took_us": tag.took_us,
    }


def encode_tag(tag: Tag) -> bytes:
    return pack(tag_fields(tag))


def decode_tag(raw: bytes) -> Tag:
    """Read a record of `dialogue.tags`."""
    fields = unpack(raw, kind="tag", limit=LIMITS.tag_bytes)
    tag = Tag(
        domain=fields.text("domain", LIMITS.name_chars),
        event_id=fields.text("event_id", LIMITS.id_chars),
        dialogue_id=fields.text("dialogue_id", LIMITS.id_chars),
        turn_index=fields.integer("turn_index"),
        sent_at_ms=fields.integer("sent_at_ms"),
        task=fields.text("task", LIMITS.name_chars),
        image_id=fields.text_or_none("image_id", LIMITS.id_chars),
        label=fields.text_or_none("label", LIMITS.name_chars),
        confidence=fields.number("confidence"),
        candidates=fields.many("candidates", 3, _read_candidate, at_least=1),
        source=cast("Source", fields.one_of("source", _SOURCES)),
        reason=fields.text_or_none("reason", LIMITS.name_chars),
        degraded=fields.text_or_none("degraded", LIMITS.name_chars),
        rules=fields.texts("rules", LIMITS.rules_per_tag, LIMITS.name_chars),
        release=fields.text("release", DIGEST_CHARS),
        bundle=fields.text_or_none("bundle", DIGEST_CHARS),
        accepted_at_ms=fields.integer("accepted_at_ms", default=0),
        decided_at_ms=fields.integer("decided_at_ms", default=0),
        took_us=fields.integer("took_us", default=0),
    )
    if fields.text("tag_id", LIMITS.name_chars) != tag.tag_id:
        raise DecodeError("tag.tag_id is not the digest of domain, event, task and image")
    return tag


def _read_candidate(fields: Fields) -> Candidate:
    return Candidate(
        label=fields.text("label", LIMITS.name_chars), probability=fields.number("probability")
    )


# Alert, Feedback


def alert_fields(alert: Alert) -> dict[str, Any]:
    """Every field of an alert, as JSON wants them."""
    return {name: getattr(alert, name) for name in Alert.__slots__}


def encode_alert(alert: Alert) -> bytes:
    return pack(alert_fields(alert))


def decode_alert(raw: bytes) -> Alert:
    """Read a record of `dialogue.alerts`."""
    fields = unpack(raw, kind="alert", limit=LIMITS.tag_bytes)
    return Alert(
        alert_id=fields.text("alert_id", LIMITS.name_chars),
        domain=fields.text("domain", LIMITS.name_chars),
        dialogue_id=fields.text("dialogue_id", LIMITS.id_chars),
        event_id=fields.text("event_id", LIMITS.id_chars),
        tag_id=fields.text("tag_id", LIMITS.name_chars),
        policy=fields.text("policy", LIMITS.name_chars),
        task=fields.text("task", LIMITS.name_chars),
        image_id=fields.text_or_none("image_id", LIMITS.id_chars),
        label=fields.text("label", LIMITS.name_chars),
        confidence=fields.number("confidence"),
        turn_index=fields.integer("turn_index"),
        sent_at_ms=fields.integer("sent_at_ms"),
        window_start_ms=fields.integer("window_start_ms"),
        raised_at_ms=fields.integer("raised_at_ms", default=0),
    )


def encode_feedback(feedback: Feedback) -> bytes:
    return pack({name: getattr(feedback, name) for name in Feedback.__slots__})


def decode_feedback(raw: bytes) -> Feedback:
    """Read a record of `dialogue.feedback`."""
    fields = unpack(raw, kind="feedback", limit=LIMITS.tag_bytes)
    return Feedback(
        domain=fields.text("domain", LIMITS.name_chars),
        event_id=fields.text("event_id", LIMITS.id_chars),
        dialogue_id=fields.text("dialogue_id", LIMITS.id_chars),
        tag_id=fields.text("tag_id", LIMITS.name_chars),
        task=fields.text("task", LIMITS.name_chars),
        image_id=fields.text_or_none("image_id", LIMITS.id_chars),
        label=fields.text_or_none("label", LIMITS.name_chars),
        operator_id=fields.text("operator_id", LIMITS.id_chars),
        given_at_ms=fields.integer("given_at_ms"),
        note=fields.text_or_none("note", LIMITS.detail_chars),
    )


# DeadLetter


def encode_dead_letter(letter: DeadLetter) -> bytes:
    return pack({name: getattr(letter, name) for name in DeadLetter.__slots__})


def decode_dead_letter(raw: bytes) -> DeadLetter:
    """Read a record of `dialogue.dead-letters`."""
    fields = unpack(raw, kind="dead_letter", limit=LIMITS.dead_letter_bytes)
    return DeadLetter(
        reason=fields.text("reason", LIMITS.name_chars),
        detail=fields.text("detail", LIMITS.detail_chars, empty=True),
        role=fields.text("role", LIMITS.name_chars),
        topic=fields.text("topic", 249),
        partition=fields.integer("partition"),
        offset=fields.integer("offset"),
        timestamp_ms=fields.integer("timestamp_ms"),
        key=fields.octets_or_none("key", LIMITS.dead_letter_bytes),
        record=fields.octets_or_none("record", LIMITS.dead_letter_bytes),
        record_sha256=fields.text("record_sha256", 64),
        record_length=fields.integer("record_length"),
        cut=fields.flag("cut", default=False),
        attempts=fields.integer("attempts"),
        failed_at_ms=fields.integer("failed_at_ms"),
    )
