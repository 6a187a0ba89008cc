"""Laws of the wire: decode undoes encode, and no bytes bring a decoder down."""

from collections.abc import Callable
from typing import Any

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st

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
)
from streams.limits import LIMITS
from streams.shadow_records import ShadowAnswer, ShadowCounts, ShadowDifference, ShadowTally

names = st.text(min_size=1, max_size=LIMITS.name_chars)
ids = st.text(min_size=1, max_size=LIMITS.id_chars)
integers = st.integers(0, 2**63 - 1)
shares = st.floats(0, 1)
octets = st.binary(max_size=200)
maybe = st.none

images = st.builds(
    ImageRef,
    image_id=ids,
    sha256=maybe() | st.text(min_size=1, max_size=64),
    media_type=maybe() | names,
    content=maybe() | octets,
    uri=maybe() | st.text(min_size=1, max_size=100),
)
questions = st.builds(Question, task=names, image_id=maybe() | ids)


@st.composite
def events(draw: st.DrawFn) -> DialogueEvent:
    """Up to 4 turns with up to 6 images of different ids."""
    left = draw(st.lists(images, max_size=6, unique_by=lambda image: image.image_id))
    turns = []
    for _ in range(draw(st.integers(1, 4))):
        count = draw(st.integers(0, len(left)))
        turns.append(
            Turn(
                speaker=draw(st.sampled_from(("user", "agent"))),
                text=draw(st.text(max_size=200)),
                images=tuple(left[:count]),
            )
        )
        left = left[count:]
    return DialogueEvent(
        domain=draw(names),
        event_id=draw(ids),
        dialogue_id=draw(ids),
        sent_at_ms=draw(integers),
        turns=tuple(turns),
        first_turn_index=draw(st.integers(0, LIMITS.first_turn_index)),
        tasks=draw(maybe() | st.lists(names, max_size=LIMITS.tasks).map(tuple)),
    )


deferred = st.builds(
    Deferred,
    record=octets,
    questions=st.lists(
        st.builds(OpenQuestion, question=questions, reason=names), min_size=1, max_size=4
    ).map(tuple),
    accepted_at_ms=integers,
    release=names,
    redriven=st.booleans(),
)
tags = st.builds(
    Tag,
    domain=names,
    event_id=ids,
    dialogue_id=ids,
    turn_index=integers,
    sent_at_ms=integers,
    task=names,
    image_id=maybe() | ids,
    label=maybe() | names,
    confidence=shares,
    candidates=st.lists(
        st.builds(Candidate, label=names, probability=shares), min_size=1, max_size=3
    ).map(tuple),
    source=st.sampled_from(("rules", "model", "fusion", "abstained")),
    reason=maybe() | names,
    degraded=maybe() | names,
    rules=st.lists(names, max_size=4).map(tuple),
    release=names,
    bundle=maybe() | names,
    accepted_at_ms=integers,
    decided_at_ms=integers,
    took_us=integers,
)
alerts = st.builds(
    Alert,
    alert_id=names,
    domain=names,
    dialogue_id=ids,
    event_id=ids,
    tag_id=names,
    policy=names,
    task=names,
    image_id=maybe() | ids,
    label=names,
    confidence=shares,
    turn_index=integers,
    sent_at_ms=integers,
    window_start_ms=integers,
    raised_at_ms=integers,
)
feedback = st.builds(
    Feedback,
    domain=names,
    event_id=ids,
    dialogue_id=ids,
    tag_id=names,
    task=names,
    image_id=maybe() | ids,
    label=maybe() | names,
    operator_id=ids,
    given_at_ms=integers,
    note=maybe() | st.text(min_size=1, max_size=200),
)
answers = st.builds(
    ShadowAnswer,
    label=maybe() | names,
    confidence=shares,
    source=st.sampled_from(("rules", "model", "fusion", "abstained")),
    reason=maybe() | names,
    rules=st.lists(names, max_size=4).map(tuple),
)
differences = st.builds(
    ShadowDifference,
    domain=names,
    role=names,
    event_id=ids,
    dialogue_id=ids,
    turn_index=integers,
    sent_at_ms=integers,
    task=names,
    image_id=maybe() | ids,
    active=names,
    shadow=names,
    answered=answers,
    instead=maybe() | answers,
    open_reason=maybe() | names,
    compared_at_ms=integers,
)
shadow_counts = st.builds(
    ShadowCounts,
    domain=names,
    role=names,
    worker=ids,
    active=names,
    shadow=names,
    tallies=st.lists(
        st.builds(
            ShadowTally,
            task=names,
            same=integers,
            differs=integers,
            open=integers,
            skipped=integers,
        ),
        min_size=1,
        max_size=LIMITS.tasks,
    ).map(tuple),
    at_ms=integers,
)
dead_letters = st.builds(
    DeadLetter,
    reason=names,
    detail=st.text(max_size=200),
    role=names,
    topic=names,
    partition=integers,
    offset=integers,
    timestamp_ms=integers,
    key=maybe() | octets,
    record=maybe() | octets,
    record_sha256=st.text(min_size=1, max_size=64),
    record_length=integers,
    cut=st.booleans(),
    attempts=integers,
    failed_at_ms=integers,
)

statuses = st.builds(
    WorkerStatus,
    worker=ids,
    role=names,
    domain=names,
    version=names,
    at_ms=integers,
    interval_ms=integers,
    labels_digest=maybe() | names,
    in_force=maybe()
    | st.builds(
        ReleaseInForce, digest=names, sequence=integers, since_ms=integers, shadow=maybe() | names
    ),
    refusal=maybe() | st.builds(RefusedRelease, digest=maybe() | names, why=names, at_ms=integers),
    bundle=maybe() | names,
    uses_fitted_weights=maybe() | st.booleans(),
    lag=maybe() | integers,
    obstacles=st.lists(names, max_size=LIMITS.obstacles).map(tuple),
    stopped=st.booleans(),
)

# (values, encode, decode) of every record kind
KINDS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "event": (events(), encode_event, decode_event),
    "deferred": (deferred, encode_deferred, decode_deferred),
    "tag": (tags, encode_tag, decode_tag),
    "alert": (alerts, encode_alert, decode_alert),
    "feedback": (feedback, encode_feedback, decode_feedback),
    "shadow difference": (differences, encode_shadow, decode_shadow),
    "shadow counts": (shadow_counts, encode_shadow, decode_shadow),
    "dead letter": (dead_letters, encode_dead_letter, decode_dead_letter),
    "status": (statuses, encode_status, decode_status),
}
kinds = st.sampled_from(sorted(KINDS))


@settings(max_examples=150)
@given(kind=kinds, data=st.data())
def test_decode_undoes_encode(kind: str, data: st.DataObject) -> None:
    values, encode, decode = KINDS[kind]
    value = data.draw(values)
    assert decode(encode(value)) == value


@settings(max_examples=60)
@given(kind=kinds, minor=st.integers(0, 10**6), data=st.data())
def test_a_later_minor_with_unknown_fields_says_the_same(
    kind: str, minor: int, data: st.DataObject
) -> None:
    values, encode, decode = KINDS[kind]
    value = data.draw(values)
    unknown = data.draw(st.dictionaries(st.text(max_size=8).map("x-{}".format), st.integers(0, 9)))
    later = msgpack.packb({**msgpack.unpackb(encode(value)), "v": f"1.{minor}", **unknown})
    assert decode(later) == value


plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats()
packable = st.recursive(
    plain | st.text(max_size=20) | octets,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def refusal(decode: Callable[[bytes], Any], raw: bytes) -> InvalidRecord | None:
    """Why the bytes are no record; None when they are one."""
    try:
        decode(raw)
    except InvalidRecord as refused:
        return refused
    return None


@settings(max_examples=150)
@given(kind=kinds, data=st.data())
def test_a_field_of_any_kind_is_read_or_refused_and_nothing_else(
    kind: str, data: st.DataObject
) -> None:
    values, encode, decode = KINDS[kind]
    fields = msgpack.unpackb(encode(data.draw(values)))
    name = data.draw(st.sampled_from(sorted(fields)))
    refused = refusal(decode, msgpack.packb({**fields, name: data.draw(packable)}))
    if refused is not None:
        assert 0 < len(refused.reason) <= LIMITS.name_chars
        assert 0 < len(refused.detail) <= LIMITS.detail_chars


@settings(max_examples=150)
@given(kind=kinds, raw=st.binary(max_size=300) | packable.map(msgpack.packb))
def test_any_bytes_are_refused_and_never_bring_a_decoder_down(kind: str, raw: bytes) -> None:
    refused = refusal(KINDS[kind][2], raw)
    assert refused is not None
    assert refused.reason in ("undecodable", "unknown_version")
