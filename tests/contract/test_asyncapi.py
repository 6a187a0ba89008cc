"""Holds docs/asyncapi.yaml against the codec, the topics and the limits, in both directions."""

import base64
import dataclasses
import hashlib
import math
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped, unused-ignore]
import msgpack
import pytest
import yaml
from jsonschema.validators import (  # type: ignore[import-untyped, unused-ignore]
    Draft7Validator,
    extend,
)

from rule_store import InvalidEnvelope, new_key, sign, signed_from_bytes, signed_to_bytes
from streams import codec, events, shadow_records, wire
from streams.errors import InvalidRecord
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
    digest_of,
)
from streams.limits import LIMITS, Limits
from streams.records import ATTEMPTS_HEADER, REDRIVEN_HEADER
from streams.shadow_records import ShadowAnswer, ShadowCounts, ShadowDifference, ShadowTally
from streams.topics import TOPICS, Kind

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text(encoding="utf-8")
)
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
ENVELOPES = ("SignedRelease", "SignedActivation")  # rule_store's, not the codec's

Json = Any
Path_ = tuple[str | int, ...]


# MessagePack as a schema validator sees it: bin is not str, a float is not an integer.


def _is_of(name: str, value: Json, *, binary: bool) -> bool:
    match name:
        case "null":
            return value is None
        case "string":
            return type(value) is (bytes if binary else str)
        case "integer":
            return type(value) is int
        case "number":
            return type(value) in (int, float) and math.isfinite(value)
        case "boolean":
            return type(value) is bool
        case "array":
            return type(value) is list
        case "object":
            return isinstance(value, dict)
    raise AssertionError(f"the document uses the type {name}")


def _check_type(_: Json, names: str | list[str], value: Json, schema: Json) -> Iterator[Exception]:
    binary = schema.get("format") == "binary"
    wanted = [names] if isinstance(names, str) else names
    if not any(_is_of(name, value, binary=binary) for name in wanted):
        yield jsonschema.ValidationError(f"{type(value).__name__} is not {wanted}")


def _check_pattern(_: Json, pattern: str, value: Json, __: Json) -> Iterator[Exception]:
    # Python's `$` also stands before a line break at the end; a schema's does not.
    exact = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(value, str) and not re.search(exact, value):
        yield jsonschema.ValidationError(f"does not match {pattern}")


_Validator: Any = extend(
    Draft7Validator,
    validators={"type": _check_type, "pattern": _check_pattern},
    type_checker=Draft7Validator.TYPE_CHECKER.redefine(
        "string", lambda _, value: isinstance(value, str | bytes)
    ),
)


def complaints(schema_name: str, value: Json) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{schema_name}", "components": DOCUMENT["components"]}
    return [error.message[:200] for error in _Validator(schema).iter_errors(value)]


def resolved(node: Json) -> Json:
    """What a reference leads to; of something or nil, the something."""
    while "$ref" in node or "anyOf" in node:
        node = pointed(node["$ref"]) if "$ref" in node else node["anyOf"][0]
    return node


def pointed(pointer: str) -> Json:
    node: Json = DOCUMENT
    assert pointer.startswith("#/")
    for part in pointer[2:].split("/"):
        node = node[part]
    return node


# Values: as little as a record may hold, everything it may hold, and everything at its limit.

_WIDE = "客"  # one character, three bytes


def _text(limit: int) -> str:
    return _WIDE * limit


_EVENT = DialogueEvent(
    domain="storefront",
    event_id="evt-1",
    dialogue_id="chat-1",
    sent_at_ms=1_000,
    turns=(Turn(speaker="user", text="Where is it?"),),
)
_FULL_EVENT = DialogueEvent(
    domain="storefront",
    event_id="evt-1",
    dialogue_id="chat-1",
    sent_at_ms=1_000,
    turns=(
        Turn(
            speaker="user",
            text="See this",
            images=(
                ImageRef(
                    image_id="img-1",
                    sha256="ab" * 32,
                    media_type="image/png",
                    content=b"\x89PNG",
                    uri="https://images.example/1.png",
                ),
            ),
        ),
    ),
    first_turn_index=3,
    tasks=("intent",),
)
_MAX_IMAGE = ImageRef(
    image_id=_text(LIMITS.id_chars),
    sha256="a" * 64,
    media_type=_text(LIMITS.name_chars),
    content=bytes(LIMITS.inline_images_bytes),
    uri="u" * LIMITS.uri_chars,
)
_MAX_EVENT = DialogueEvent(
    domain=_text(LIMITS.name_chars),
    event_id=_text(LIMITS.id_chars),
    dialogue_id=_text(LIMITS.id_chars),
    sent_at_ms=2**63 - 1,
    turns=(
        *(Turn(speaker="agent", text="") for _ in range(LIMITS.turns - 1)),
        Turn(
            speaker="user",
            text=_text(LIMITS.text_chars),
            images=(
                _MAX_IMAGE,
                *(ImageRef(image_id=f"{n}") for n in range(1, LIMITS.images_per_turn)),
            ),
        ),
    ),
    first_turn_index=LIMITS.first_turn_index,
    tasks=tuple(_text(LIMITS.name_chars) for _ in range(LIMITS.tasks)),
)

_QUESTION = OpenQuestion(question=Question(task="intent"), reason="no_rule")
_FULL_QUESTION = OpenQuestion(question=Question(task="scene", image_id="img-1"), reason="conflict")
_MAX_QUESTION = OpenQuestion(
    question=Question(task=_text(LIMITS.name_chars), image_id=_text(LIMITS.id_chars)),
    reason=_text(LIMITS.name_chars),
)
_DEFERRED = Deferred(record=b"", questions=(_QUESTION,), accepted_at_ms=0, release="r")
_FULL_DEFERRED = Deferred(
    record=b"\x80", questions=(_FULL_QUESTION,), accepted_at_ms=1, release="r", redriven=True
)
_MAX_DEFERRED = Deferred(
    record=bytes(LIMITS.event_bytes),
    questions=(_MAX_QUESTION,) * (LIMITS.images_per_event + LIMITS.tasks),
    accepted_at_ms=2**63 - 1,
    release=_text(80),
    redriven=True,
)

_CANDIDATE = Candidate(label="track_order", probability=0)
_TAG = Tag(
    domain="storefront",
    event_id="evt-1",
    dialogue_id="chat-1",
    turn_index=0,
    sent_at_ms=0,
    task="intent",
    image_id=None,
    label=None,
    confidence=0.25,
    candidates=(_CANDIDATE,),
    source="abstained",
    reason=None,
    degraded=None,
    rules=(),
    release="r",
    bundle=None,
)
_FULL_TAG = replace(
    _TAG,
    image_id="img-1",
    label="order_page",
    reason="no_rule",
    degraded="too_late",
    rules=("0123456789abcdef",),
    bundle="b",
    accepted_at_ms=1,
    decided_at_ms=2,
    took_us=3,
)
_MAX_TAG = Tag(
    domain=_text(LIMITS.name_chars),
    event_id=_text(LIMITS.id_chars),
    dialogue_id=_text(LIMITS.id_chars),
    turn_index=2**63 - 1,
    sent_at_ms=2**63 - 1,
    task=_text(LIMITS.name_chars),
    image_id=_text(LIMITS.id_chars),
    label=_text(LIMITS.name_chars),
    confidence=1.0,
    candidates=(Candidate(label=_text(LIMITS.name_chars), probability=1.0),) * 3,
    source="fusion",
    reason=_text(LIMITS.name_chars),
    degraded=_text(LIMITS.name_chars),
    rules=tuple(_text(LIMITS.name_chars) for _ in range(LIMITS.rules_per_tag)),
    release=_text(80),
    bundle=_text(80),
    accepted_at_ms=2**63 - 1,
    decided_at_ms=2**63 - 1,
    took_us=2**63 - 1,
)

_ALERT = Alert(
    alert_id="a",
    domain="storefront",
    dialogue_id="chat-1",
    event_id="evt-1",
    tag_id="t",
    policy="complaint",
    task="intent",
    image_id=None,
    label="complaint",
    confidence=0.75,
    turn_index=0,
    sent_at_ms=0,
    window_start_ms=0,
)
_FULL_ALERT = replace(_ALERT, image_id="img-1", raised_at_ms=1)
_MAX_ALERT = Alert(
    alert_id=_text(LIMITS.name_chars),
    domain=_text(LIMITS.name_chars),
    dialogue_id=_text(LIMITS.id_chars),
    event_id=_text(LIMITS.id_chars),
    tag_id=_text(LIMITS.name_chars),
    policy=_text(LIMITS.name_chars),
    task=_text(LIMITS.name_chars),
    image_id=_text(LIMITS.id_chars),
    label=_text(LIMITS.name_chars),
    confidence=1.0,
    turn_index=2**63 - 1,
    sent_at_ms=2**63 - 1,
    window_start_ms=2**63 - 1,
    raised_at_ms=2**63 - 1,
)

_FEEDBACK = Feedback(
    domain="storefront",
    event_id="evt-1",
    dialogue_id="chat-1",
    tag_id="t",
    task="intent",
    image_id=None,
    label=None,
    operator_id="operator-3",
    given_at_ms=0,
)
_FULL_FEEDBACK = replace(_FEEDBACK, image_id="img-1", label="other", note="n")
_MAX_FEEDBACK = Feedback(
    domain=_text(LIMITS.name_chars),
    event_id=_text(LIMITS.id_chars),
    dialogue_id=_text(LIMITS.id_chars),
    tag_id=_text(LIMITS.name_chars),
    task=_text(LIMITS.name_chars),
    image_id=_text(LIMITS.id_chars),
    label=_text(LIMITS.name_chars),
    operator_id=_text(LIMITS.id_chars),
    given_at_ms=2**63 - 1,
    note=_text(LIMITS.detail_chars),
)

_ANSWER = ShadowAnswer(label=None, confidence=0.25, source="abstained", reason=None, rules=())
_FULL_ANSWER = replace(_ANSWER, label="other", reason="no_rule", rules=("0123456789abcdef",))
_MAX_ANSWER = ShadowAnswer(
    label=_text(LIMITS.name_chars),
    confidence=1.0,
    source="fusion",
    reason=_text(LIMITS.name_chars),
    rules=tuple(_text(LIMITS.name_chars) for _ in range(LIMITS.rules_per_tag)),
)
_DIFFERENCE = ShadowDifference(
    domain="storefront",
    role="tagger",
    event_id="evt-1",
    dialogue_id="chat-1",
    turn_index=0,
    sent_at_ms=0,
    task="intent",
    image_id=None,
    active="r",
    shadow="s",
    answered=_ANSWER,
    instead=None,
    open_reason=None,
    compared_at_ms=0,
)
# No worker writes both an answer and why there is none; so every field is set.
_FULL_DIFFERENCE = replace(
    _DIFFERENCE,
    image_id="img-1",
    answered=_FULL_ANSWER,
    instead=_FULL_ANSWER,
    open_reason="needs_screen",
)
_MAX_DIFFERENCE = ShadowDifference(
    domain=_text(LIMITS.name_chars),
    role=_text(LIMITS.name_chars),
    event_id=_text(LIMITS.id_chars),
    dialogue_id=_text(LIMITS.id_chars),
    turn_index=2**63 - 1,
    sent_at_ms=2**63 - 1,
    task=_text(LIMITS.name_chars),
    image_id=_text(LIMITS.id_chars),
    active=_text(80),
    shadow=_text(80),
    answered=_MAX_ANSWER,
    instead=_MAX_ANSWER,
    open_reason=_text(LIMITS.name_chars),
    compared_at_ms=2**63 - 1,
)

_COUNTS = ShadowCounts(
    domain="storefront",
    role="tagger",
    worker="storefront-tagger-0",
    active="r",
    shadow="s",
    tallies=(ShadowTally(task="intent"),),
    at_ms=0,
)
_FULL_COUNTS = replace(
    _COUNTS, tallies=(ShadowTally(task="intent", same=1, differs=2, open=3, skipped=4),)
)
_MAX_COUNTS = ShadowCounts(
    domain=_text(LIMITS.name_chars),
    role=_text(LIMITS.name_chars),
    worker=_text(LIMITS.worker_chars),
    active=_text(80),
    shadow=_text(80),
    tallies=tuple(
        ShadowTally(
            task=_text(LIMITS.name_chars),
            same=2**63 - 1,
            differs=2**63 - 1,
            open=2**63 - 1,
            skipped=2**63 - 1,
        )
        for _ in range(LIMITS.tasks)
    ),
    at_ms=2**63 - 1,
)

_LETTER = DeadLetter(
    reason="undecodable",
    detail="",
    role="tagger",
    topic="dialogue.events",
    partition=0,
    offset=0,
    timestamp_ms=0,
    key=None,
    record=None,
    record_sha256="ab" * 32,
    record_length=0,
    cut=False,
    attempts=1,
    failed_at_ms=0,
)
_FULL_LETTER = replace(_LETTER, detail="d", key=b"chat-1", record=b"{}", cut=True)
_MAX_LETTER = DeadLetter(
    reason=_text(LIMITS.name_chars),
    detail=_text(LIMITS.detail_chars),
    role=_text(LIMITS.name_chars),
    topic="t" * 249,
    partition=2**63 - 1,
    offset=2**63 - 1,
    timestamp_ms=2**63 - 1,
    key=bytes(LIMITS.envelope_bytes // 4),
    record=bytes(LIMITS.deferred_bytes),
    record_sha256="a" * 64,
    record_length=2**63 - 1,
    cut=True,
    attempts=2**63 - 1,
    failed_at_ms=2**63 - 1,
)

_STATUS = WorkerStatus(
    worker="storefront-alerter-0",
    role="alerter",
    domain="storefront",
    version="1",
    at_ms=0,
    interval_ms=0,
)
_FULL_STATUS = replace(
    _STATUS,
    labels_digest="l",
    in_force=ReleaseInForce(digest="r", sequence=1, since_ms=1, shadow="s"),
    refusal=RefusedRelease(digest="q", why="w", at_ms=1),
    bundle="b",
    uses_fitted_weights=True,
    lag=1,
    obstacles=("o",),
    stopped=True,
)
_MAX_STATUS = WorkerStatus(
    worker=_text(LIMITS.worker_chars),
    role=_text(LIMITS.name_chars),
    domain=_text(LIMITS.name_chars),
    version=_text(LIMITS.name_chars),
    at_ms=2**63 - 1,
    interval_ms=2**63 - 1,
    labels_digest=_text(80),
    in_force=ReleaseInForce(
        digest=_text(80), sequence=2**63 - 1, since_ms=2**63 - 1, shadow=_text(80)
    ),
    refusal=RefusedRelease(digest=_text(80), why=_text(LIMITS.detail_chars), at_ms=2**63 - 1),
    bundle=_text(80),
    uses_fitted_weights=True,
    lag=2**63 - 1,
    obstacles=tuple(_text(LIMITS.detail_chars) for _ in range(LIMITS.obstacles)),
    stopped=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One kind of message: its functions of the codec, and three values."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    least: Any
    full: Any
    most: Any

    def accepts(self, value: Json) -> bool:
        try:
            self.decode(packed(value))
        except InvalidRecord:
            return False
        return True


KINDS: dict[str, Message] = {
    "DialogueEvent": Message(
        encode=codec.encode_event,
        decode=codec.decode_event,
        least=_EVENT,
        full=_FULL_EVENT,
        most=_MAX_EVENT,
    ),
    "Deferred": Message(
        encode=codec.encode_deferred,
        decode=codec.decode_deferred,
        least=_DEFERRED,
        full=_FULL_DEFERRED,
        most=_MAX_DEFERRED,
    ),
    "Tag": Message(
        encode=codec.encode_tag, decode=codec.decode_tag, least=_TAG, full=_FULL_TAG, most=_MAX_TAG
    ),
    "Alert": Message(
        encode=codec.encode_alert,
        decode=codec.decode_alert,
        least=_ALERT,
        full=_FULL_ALERT,
        most=_MAX_ALERT,
    ),
    "Feedback": Message(
        encode=codec.encode_feedback,
        decode=codec.decode_feedback,
        least=_FEEDBACK,
        full=_FULL_FEEDBACK,
        most=_MAX_FEEDBACK,
    ),
    "ShadowDifference": Message(
        encode=codec.encode_shadow,
        decode=codec.decode_shadow,
        least=_DIFFERENCE,
        full=_FULL_DIFFERENCE,
        most=_MAX_DIFFERENCE,
    ),
    "ShadowCounts": Message(
        encode=codec.encode_shadow,
        decode=codec.decode_shadow,
        least=_COUNTS,
        full=_FULL_COUNTS,
        most=_MAX_COUNTS,
    ),
    "DeadLetter": Message(
        encode=codec.encode_dead_letter,
        decode=codec.decode_dead_letter,
        least=_LETTER,
        full=_FULL_LETTER,
        most=_MAX_LETTER,
    ),
    "WorkerStatus": Message(
        encode=codec.encode_status,
        decode=codec.decode_status,
        least=_STATUS,
        full=_FULL_STATUS,
        most=_MAX_STATUS,
    ),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def packed(value: Json) -> bytes:
    raw: bytes = msgpack.packb(value, use_bin_type=True)
    return raw


def unpacked(raw: bytes) -> Json:
    return msgpack.unpackb(raw, raw=False)


def documented(kind: str, value: Json) -> bool:
    """Whether the document allows a record: its schema, and what `x-limits` adds to it."""
    limits = MESSAGES[kind]["x-limits"]
    if complaints(kind, value) or len(packed(value)) > limits["record_bytes"]:
        return False
    texts = [str(turn.get("text", "")) for turn in value.get("turns", ())]
    if sum(map(len, texts)) > limits.get("event_text_chars", 0):
        return False
    images = [image for turn in value.get("turns", ()) for image in turn.get("images") or ()]
    if len({image["image_id"] for image in images}) != len(images):
        return False
    inline_bytes = sum(len(image.get("content") or b"") for image in images)
    return bool(
        len(images) <= limits.get("images_per_event", 0)
        and inline_bytes <= limits.get("inline_images_bytes", 0)
    )


# Every map of a record with its schema, and every field of every map.


def maps(schema: Json, value: Json, path: Path_ = ()) -> Iterator[tuple[Path_, Json, Json]]:
    """(path, schema, map) of a record's map, of maps inside it, and of the first of each list."""
    schema = resolved(schema)
    yield path, schema, value
    for name, field in schema["properties"].items():
        items = resolved(field).get("items")
        if "properties" in resolved(field):
            yield from maps(field, value[name], (*path, name))
        elif items is not None and resolved(items)["type"] == "object":
            yield from maps(items, value[name][0], (*path, name, 0))


def all_maps() -> list[tuple[str, Path_, Json, Json]]:
    return [
        (kind, *each)
        for kind, message in KINDS.items()
        for each in maps(SCHEMAS[kind], unpacked(message.encode(message.full)))
    ]


def all_fields() -> list[tuple[str, Path_, str]]:
    return [
        (kind, path, name) for kind, path, schema, _ in all_maps() for name in schema["properties"]
    ]


def at(value: Json, path: Path_) -> Json:
    for part in path:
        value = value[part]
    return value


_ABSENT = object()


def changed(kind: str, path: Path_, name: str, new: Json) -> Json:
    """The full record of a kind with one field replaced or left out."""
    value = unpacked(KINDS[kind].encode(KINDS[kind].full))
    target = at(value, path)
    if new is _ABSENT:
        del target[name]
    else:
        target[name] = new
    # A tag's id follows from its fields, so that one change stays one change.
    identity = [value.get("domain"), value.get("event_id"), value.get("task")]
    identity.append(value.get("image_id") or "")
    if kind == "Tag" and name != "tag_id" and all(isinstance(part, str) for part in identity):
        value["tag_id"] = digest_of(*identity)
    return value


_ANY: tuple[Json, ...] = (
    *(None, True, False, "", "x", b"", b"x", [], {}, ["x"], [b"x"], [1], [{}], [None], [""]),
    *(-1, 0, 1, 2**63 - 1, 2**63, -0.5, 0.0, 0.5, 1.0, 1.5, 1e300, math.inf, -math.inf, math.nan),
    *("user", "agent", "User", "rules", "model", "fusion", "abstained", "system"),
    *("difference", "counts"),
    *("1.0", "1.7", "1.", ".0", "1", "1.x", "1.0.0", "1.0\n", "01.0", "2.0", " 1.0", "1.0 ", "1.٣"),
    *("1." + "0" * 14, "1." + "0" * 15),
)


def values_to_try(field: Json) -> Iterator[Json]:
    """What any field might be given, and what lies at and just beyond this one's bounds."""
    field = resolved(field)
    yield from _ANY
    if "maximum" in field:
        yield field["maximum"]
        yield field["maximum"] + 1
    if "maxLength" in field:
        for size in (field["maxLength"], field["maxLength"] + 1):
            yield "y" * size
            yield _WIDE * size
            yield bytes(size)
    if "properties" in field:
        yield _least(field, 0)
    if "items" in field:
        items = resolved(field["items"])
        for size in (field["maxItems"], field["maxItems"] + 1):
            yield [_least(items, number) for number in range(size)]
        if items["type"] == "string":
            yield ["y" * items["maxLength"]]
            yield ["y" * (items["maxLength"] + 1)]


def _least(schema: Json, number: int) -> Json:
    """As little as a value may be; images of different ids."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "string":
            return "x"
        case "integer":
            return 0
        case "number":
            return 0.5
    fields = {name: _least(schema["properties"][name], number) for name in schema["required"]}
    return fields | ({"image_id": f"i{number}"} if "image_id" in fields else {})


# The document by itself.


def test_the_document_is_asyncapi_3_in_structure() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert set(DOCUMENT) <= {
        *("asyncapi", "info", "defaultContentType", "servers"),
        *("channels", "operations", "components"),
    }
    assert {"title", "version"} <= set(DOCUMENT["info"])
    for channel in DOCUMENT["channels"].values():
        assert set(channel) <= {"address", "title", "description", "messages", "bindings", "x-key"}
        for name, message in channel["messages"].items():
            assert message == {"$ref": f"#/components/messages/{name}"}
    for operation in DOCUMENT["operations"].values():
        assert set(operation) == {"action", "channel", "summary"}
        assert operation["action"] in ("send", "receive")
    for message in MESSAGES.values():
        assert message["contentType"] == DOCUMENT["defaultContentType"] == "application/x-msgpack"
        assert set(message["payload"]) == {"$ref"}


def test_every_reference_points_somewhere_and_everything_is_referred_to() -> None:
    def references(node: Json) -> Iterator[str]:
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    used = set(references(DOCUMENT))
    for pointer in used:
        pointed(pointer)
    for part in ("messages", "schemas"):
        for name in DOCUMENT["components"][part]:
            assert f"#/components/{part}/{name}" in used
    for name in DOCUMENT["channels"]:
        assert f"#/channels/{name}" in used


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_json_schema_whose_required_fields_exist(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])
    assert set(SCHEMAS[name].get("required", ())) <= set(SCHEMAS[name].get("properties", ()))


# The document and the topics.


@pytest.mark.parametrize("kind", TOPICS)
def test_a_channel_is_its_topic(kind: Kind) -> None:
    topic, channel = TOPICS[kind], DOCUMENT["channels"][kind]
    binding = channel["bindings"]["kafka"]
    config = {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in binding["topicConfiguration"].items()
    }
    assert channel["address"] == topic.name
    assert channel["x-key"] == topic.key
    assert binding.get("partitions") == topic.partitions
    assert config == dict(topic.config)
    for name in channel["messages"]:
        assert MESSAGES[name]["x-limits"]["record_bytes"] == topic.record_bytes


def test_there_is_a_channel_for_every_topic_and_a_message_for_every_value() -> None:
    assert set(DOCUMENT["channels"]) == set(TOPICS)
    for kind, topic in TOPICS.items():
        expected = set(ENVELOPES) if kind == "releases" else set(topic.value.split(", "))
        assert set(DOCUMENT["channels"][kind]["messages"]) == expected
    assert set(MESSAGES) == {*KINDS, *ENVELOPES}


# The document and the limits.

_LIMITS_IN_DOCUMENT: dict[str, tuple[str, ...]] = {
    "event_bytes": (
        "#/components/messages/DialogueEvent/x-limits/record_bytes",
        "#/components/schemas/Deferred/properties/record/maxLength",
    ),
    "inline_images_bytes": (
        "#/components/messages/DialogueEvent/x-limits/inline_images_bytes",
        "#/components/schemas/ImageRef/properties/content/maxLength",
    ),
    "tag_bytes": (
        "#/components/messages/Tag/x-limits/record_bytes",
        "#/components/messages/Alert/x-limits/record_bytes",
        "#/components/messages/Feedback/x-limits/record_bytes",
        "#/components/messages/ShadowDifference/x-limits/record_bytes",
        "#/components/messages/ShadowCounts/x-limits/record_bytes",
        "#/components/messages/WorkerStatus/x-limits/record_bytes",
    ),
    "release_bytes": ("#/components/schemas/Signed/properties/content/maxLength",),
    "image_bytes": ("#/components/messages/DialogueEvent/x-limits/image_bytes",),
    "image_pixels": ("#/components/messages/DialogueEvent/x-limits/image_pixels",),
    "image_side": ("#/components/messages/DialogueEvent/x-limits/image_side",),
    "turns": ("#/components/schemas/DialogueEvent/properties/turns/maxItems",),
    "first_turn_index": ("#/components/schemas/DialogueEvent/properties/first_turn_index/maximum",),
    "list_items": ("#/info/x-limits/list_items",),
    "text_chars": ("#/components/schemas/Turn/properties/text/maxLength",),
    "images_per_turn": ("#/components/schemas/Turn/properties/images/maxItems",),
    "event_text_chars": ("#/components/messages/DialogueEvent/x-limits/event_text_chars",),
    "images_per_event": ("#/components/messages/DialogueEvent/x-limits/images_per_event",),
    "tasks": (
        "#/components/schemas/DialogueEvent/properties/tasks/maxItems",
        "#/components/schemas/ShadowCounts/properties/tallies/maxItems",
    ),
    "rules_per_tag": (
        "#/components/schemas/Tag/properties/rules/maxItems",
        "#/components/schemas/ShadowAnswer/properties/rules/maxItems",
    ),
    "id_chars": (
        "#/components/schemas/DialogueEvent/properties/event_id/maxLength",
        "#/components/schemas/DialogueEvent/properties/dialogue_id/maxLength",
        "#/components/schemas/DialogueKey/maxLength",
        "#/components/schemas/ImageRef/properties/image_id/maxLength",
    ),
    "name_chars": (
        "#/components/schemas/DialogueEvent/properties/domain/maxLength",
        "#/components/schemas/Tag/properties/label/maxLength",
    ),
    "uri_chars": ("#/components/schemas/ImageRef/properties/uri/maxLength",),
    "detail_chars": (
        "#/components/schemas/DeadLetter/properties/detail/maxLength",
        "#/components/schemas/Feedback/properties/note/maxLength",
        "#/components/schemas/RefusedRelease/properties/why/maxLength",
    ),
    "worker_chars": (
        "#/components/schemas/WorkerStatus/properties/worker/maxLength",
        "#/components/schemas/ShadowCounts/properties/worker/maxLength",
    ),
    "obstacles": ("#/components/schemas/WorkerStatus/properties/obstacles/maxItems",),
}
# Parts of other limits (held by the topics' sizes), or of no concern on the wire.
_LIMITS_ELSEWHERE = {"envelope_bytes", "record_overhead_bytes", "image_fetch_s"}


def test_every_limit_is_in_the_document() -> None:
    names = {field.name for field in dataclasses.fields(Limits)}
    assert names == {*_LIMITS_IN_DOCUMENT, *_LIMITS_ELSEWHERE}
    for name, places in _LIMITS_IN_DOCUMENT.items():
        for place in places:
            assert pointed(place) == getattr(LIMITS, name), place
    assert MESSAGES["Deferred"]["x-limits"]["record_bytes"] == LIMITS.deferred_bytes
    assert MESSAGES["DeadLetter"]["x-limits"]["record_bytes"] == LIMITS.dead_letter_bytes


# The document and the codec.


def test_every_kind_of_message_has_an_encoder_a_decoder_and_a_schema() -> None:
    functions = {
        name: function
        for name, function in vars(codec).items()
        if isinstance(function, types.FunctionType) and name.startswith(("encode_", "decode_"))
    }
    tested = {message.encode for message in KINDS.values()}
    tested |= {message.decode for message in KINDS.values()}
    assert set(functions.values()) == tested
    assert set(KINDS) <= set(SCHEMAS)


@each_kind
def test_the_full_value_of_a_kind_sets_every_field(kind: str) -> None:
    """A field added to a contract must be added here too, or the checks below would miss it."""

    def check(value: object) -> None:
        if not dataclasses.is_dataclass(value):
            return
        for field in dataclasses.fields(value):
            content = getattr(value, field.name)
            assert content is not None, field.name
            assert content != (), field.name
            if field.default is not dataclasses.MISSING:
                assert content != field.default, field.name
            for item in content if isinstance(content, tuple) else (content,):
                check(item)

    check(KINDS[kind].full)


def test_no_contract_is_left_out() -> None:
    def inside(value: object) -> Iterator[str]:
        if dataclasses.is_dataclass(value):
            yield type(value).__name__
            for field in dataclasses.fields(value):
                content = getattr(value, field.name)
                for item in content if isinstance(content, tuple) else (content,):
                    yield from inside(item)

    defined = {**vars(events), **vars(shadow_records)}
    contracts = {name for name, each in defined.items() if dataclasses.is_dataclass(each)}
    assert {name for message in KINDS.values() for name in inside(message.full)} == contracts


@pytest.mark.parametrize("name", ["least", "full", "most"])
@each_kind
def test_what_the_encoder_writes_is_valid_and_is_read_back(kind: str, name: str) -> None:
    message = KINDS[kind]
    value = getattr(message, name)
    raw = message.encode(value)
    assert complaints(kind, unpacked(raw)) == []
    assert documented(kind, unpacked(raw))
    assert message.decode(raw) == value


@pytest.mark.parametrize(("kind", "path", "schema", "written"), all_maps())
def test_the_encoder_writes_every_field_of_the_document_and_no_other(
    kind: str, path: Path_, schema: Json, written: Json
) -> None:
    assert set(written) == set(schema["properties"]), (kind, path)


class _Reads(dict[Any, Any]):
    """A map that notes which of its fields are asked for."""

    def __init__(self, value: Mapping[Any, Any], path: Path_, seen: dict[Path_, set[str]]) -> None:
        super().__init__(value)
        self._seen = seen.setdefault(path, set())

    def get(self, name: Any, default: Any = None) -> Any:
        self._seen.add(name)
        return super().get(name, default)

    def __getitem__(self, name: Any) -> Any:
        self._seen.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._seen.add(str(name))
        return super().__contains__(name)


def _noting(value: Json, path: Path_, seen: dict[Path_, set[str]]) -> Json:
    if isinstance(value, dict):
        inner = {name: _noting(each, (*path, name), seen) for name, each in value.items()}
        return _Reads(inner, path, seen)
    if isinstance(value, list):
        return [_noting(each, (*path, number), seen) for number, each in enumerate(value)]
    return value


@each_kind
def test_the_decoder_reads_every_field_of_the_document_and_no_other(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = KINDS[kind]
    seen: dict[Path_, set[str]] = {}
    plain = msgpack.unpackb
    monkeypatch.setattr(
        msgpack, "unpackb", lambda value, **options: _noting(plain(value, **options), (), seen)
    )
    message.decode(message.encode(message.full))
    monkeypatch.undo()
    value = unpacked(message.encode(message.full))
    for path, schema, _ in maps(SCHEMAS[kind], value):
        assert seen[path] == set(schema["properties"]), path


@pytest.mark.parametrize(("kind", "path", "name"), all_fields())
def test_a_field_may_be_left_out_exactly_when_the_document_says_so(
    kind: str, path: Path_, name: str
) -> None:
    value = changed(kind, path, name, _ABSENT)
    schema = next(each for at_, each, _ in maps(SCHEMAS[kind], _full(kind)) if at_ == path)
    optional = name not in schema["required"]
    assert documented(kind, value) == optional
    assert KINDS[kind].accepts(value) == optional


def _full(kind: str) -> Json:
    return unpacked(KINDS[kind].encode(KINDS[kind].full))


@pytest.mark.parametrize(("kind", "path", "name"), all_fields())
def test_document_and_decoder_take_and_refuse_the_same_values(
    kind: str, path: Path_, name: str
) -> None:
    schema = next(each for at_, each, _ in maps(SCHEMAS[kind], _full(kind)) if at_ == path)
    taken = refused = 0
    for new in values_to_try(schema["properties"][name]):
        value = changed(kind, path, name, new)
        allowed = documented(kind, value)
        assert KINDS[kind].accepts(value) == allowed, repr(new)[:80]
        taken, refused = taken + allowed, refused + (not allowed)
    assert refused > 0
    assert taken > 0 or name == "tag_id"  # no other id fits a tag's fields


@pytest.mark.parametrize(("kind", "path", "schema", "full"), all_maps())
def test_unknown_fields_are_passed_over_up_to_the_size_of_a_map(
    kind: str, path: Path_, schema: Json, full: Json
) -> None:
    value = _full(kind)
    assert schema["maxProperties"] == DOCUMENT["info"]["x-limits"]["map_entries"]
    at(value, path).update({f"later_{n}": n for n in range(schema["maxProperties"] - len(full))})
    assert documented(kind, value)
    assert KINDS[kind].accepts(value)
    at(value, path)["one_too_many"] = None
    assert not documented(kind, value)
    assert not KINDS[kind].accepts(value)


@each_kind
def test_unknown_lists_are_bounded_too(kind: str) -> None:
    most = DOCUMENT["info"]["x-limits"]["list_items"]
    assert KINDS[kind].accepts({**_full(kind), "later": [0] * most})
    assert not KINDS[kind].accepts({**_full(kind), "later": [0] * (most + 1)})


@each_kind
def test_a_record_at_its_limit_is_taken_and_one_byte_more_is_not(kind: str) -> None:
    limit = MESSAGES[kind]["x-limits"]["record_bytes"]
    value = _full(kind)
    # A bin of 64 KiB or more costs five bytes besides its content; all limits are at least that.
    value["padding"] = b""
    value["padding"] = bytes(limit - len(packed(value)) - 3)
    value["padding"] += bytes(limit - len(packed(value)))
    assert len(packed(value)) == limit
    assert documented(kind, value)
    assert KINDS[kind].accepts(value)
    value["padding"] += b"\0"
    assert not documented(kind, value)
    assert not KINDS[kind].accepts(value)


def test_images_are_counted_and_weighed_over_the_whole_event() -> None:
    def event(count: int, size_bytes: int) -> Json:
        return {
            **_full("DialogueEvent"),
            "turns": [
                {"speaker": "user", "text": "", "images": [{"image_id": f"{n}"}]}
                for n in range(count - 1)
            ]
            + [
                {
                    "speaker": "user",
                    "text": "",
                    "images": [{"image_id": "last", "content": bytes(size_bytes)}],
                }
            ],
        }

    limits = MESSAGES["DialogueEvent"]["x-limits"]
    most, weight = limits["images_per_event"], limits["inline_images_bytes"]
    for count, size_bytes, allowed in (
        (most, weight, True),
        (most + 1, weight, False),
        (most, weight + 1, False),
    ):
        value = event(count, size_bytes)
        assert documented("DialogueEvent", value) == allowed
        assert KINDS["DialogueEvent"].accepts(value) == allowed


@pytest.mark.parametrize(("more", "allowed"), [(0, True), (1, False)])
def test_the_texts_of_an_event_are_bounded_together(more: int, allowed: bool) -> None:
    most = MESSAGES["DialogueEvent"]["x-limits"]["event_text_chars"]
    turns, rest = divmod(most + more, LIMITS.text_chars)
    texts = ["x" * LIMITS.text_chars] * turns + ["x" * rest]
    value = _full("DialogueEvent") | {
        "turns": [{"speaker": "user", "text": text} for text in texts]
    }
    assert documented("DialogueEvent", value) == allowed
    assert KINDS["DialogueEvent"].accepts(value) == allowed


def test_two_images_of_one_id_are_refused() -> None:
    value = _full("DialogueEvent")
    value["turns"][0]["images"] *= 2
    assert not documented("DialogueEvent", value)
    assert not KINDS["DialogueEvent"].accepts(value)


def test_a_tag_id_that_is_not_the_digest_is_refused() -> None:
    """The schema can only say what an id looks like; its description says how it is made."""
    value = changed("Tag", (), "tag_id", "0" * 32)
    assert not KINDS["Tag"].accepts(value)
    assert (
        _FULL_TAG.tag_id
        == (
            hashlib.sha256(
                b"\0\0\0\x0astorefront"
                + b"\0\0\0\x05evt-1"
                + b"\0\0\0\x06intent"
                + b"\0\0\0\x05img-1"
            ).hexdigest()[:32]
        )
    )


def test_the_version_is_one_of_the_document() -> None:
    major = wire.VERSION.partition(".")[0]
    assert complaints("Version", wire.VERSION) == []
    assert SCHEMAS["Version"]["pattern"] == rf"^{major}\.[0-9]+$"
    assert DOCUMENT["info"]["version"] == wire.VERSION


def test_headers_are_those_of_a_redrive() -> None:
    assert set(SCHEMAS["RedriveHeaders"]["properties"]) == {ATTEMPTS_HEADER, REDRIVEN_HEADER}


# Examples and envelopes.


def _from_json(schema: Json, value: Json) -> Json:
    """An example in JSON form as the record it stands for: base64 becomes bin."""
    schema = resolved(schema)
    if isinstance(value, dict):
        fields = schema["properties"]
        return {name: _from_json(fields[name], each) for name, each in value.items()}
    if isinstance(value, list):
        return [_from_json(schema["items"], each) for each in value]
    return base64.b64decode(value, validate=True) if schema.get("format") == "binary" else value


def _without_nil(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_nil(each) for name, each in value.items() if each is not None}
    return [_without_nil(each) for each in value] if isinstance(value, list) else value


@each_kind
def test_examples_are_records_that_the_codec_writes_just_so(kind: str) -> None:
    message = KINDS[kind]
    for example in MESSAGES[kind]["examples"]:
        value = _from_json(SCHEMAS[kind], example["payload"])
        assert complaints(kind, value) == []
        written = unpacked(message.encode(message.decode(packed(value))))
        assert _without_nil(written) == value


def test_example_digests_are_those_of_their_parts() -> None:
    deferred = _from_json(SCHEMAS["Deferred"], MESSAGES["Deferred"]["examples"][0]["payload"])
    event = MESSAGES["DialogueEvent"]["examples"][1]["payload"]
    assert unpacked(deferred["record"]) == event
    alert = MESSAGES["Alert"]["examples"][0]["payload"]
    assert alert["alert_id"] == digest_of(
        alert["domain"], alert["dialogue_id"], alert["policy"], str(alert["window_start_ms"])
    )
    letter = _from_json(SCHEMAS["DeadLetter"], MESSAGES["DeadLetter"]["examples"][0]["payload"])
    assert letter["record_sha256"] == hashlib.sha256(letter["record"]).hexdigest()
    assert letter["record_length"] == len(letter["record"])


def test_a_signed_envelope_is_as_documented(tmp_path: Path) -> None:
    raw = signed_to_bytes(sign(b"{}", new_key(tmp_path / "key.pem"), "release"))
    envelope = unpacked(raw)
    assert complaints("Signed", envelope) == []
    assert set(envelope) == set(SCHEMAS["Signed"]["properties"])
    broken = [
        *({**envelope, "v": version} for version in ("2.0", "", 1, None)),
        *({name: envelope[name] for name in envelope if name != left_out} for left_out in envelope),
        {**envelope, "content": "text"},
        {**envelope, "content": bytes(LIMITS.release_bytes + 1)},
        {**envelope, "signatures": [["0" * 15, bytes(64)]]},
        {**envelope, "signatures": [["0" * 16, bytes(63)]]},
        {**envelope, "signatures": [[f"{n:016x}", bytes(64)] for n in range(17)]},
    ]
    for value in broken:
        assert complaints("Signed", value) != []
        with pytest.raises(InvalidEnvelope):
            signed_from_bytes(packed(value))
