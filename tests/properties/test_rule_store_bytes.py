"""Laws of releases, activations and signed envelopes, and what garbage does to their readers."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rule_store import (
    CHANNELS,
    FACTS,
    Activation,
    Has,
    InvalidActivation,
    InvalidEnvelope,
    InvalidRelease,
    Lexicon,
    Line,
    Literal,
    Mentions,
    Predicate,
    Purpose,
    Reaches,
    Release,
    Reliability,
    Rule,
    RuleStoreError,
    Signed,
    TaskRules,
    TrustStore,
    activation_from_bytes,
    activation_to_bytes,
    canonical_bytes,
    cosign,
    digest,
    fold,
    key_id,
    labels_digest,
    read_release,
    sign,
    signed_from_bytes,
    signed_to_bytes,
)
from rule_store.predicates import COUNT_MAX, FACT_MAX

UNTIMED = settings(deadline=None)
KEYS = tuple(Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in (1, 2))
TRUST = TrustStore(keys={key_id(KEYS[0].public_key()): KEYS[0].public_key()})
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
PHRASES = NAMES.filter(fold)
RATIOS = st.floats(0, 1)
PURPOSES: st.SearchStrategy[Purpose] = st.sampled_from(("release", "activation"))


def predicates(concepts: list[str]) -> st.SearchStrategy[Predicate]:
    channels = st.sampled_from(CHANNELS)
    numbers = st.floats(-FACT_MAX, FACT_MAX) | st.integers(-9, 9)
    found: list[st.SearchStrategy[Predicate]] = [
        st.builds(Has, channel=channels, phrase=PHRASES),
        st.builds(Line, channel=channels, line=PHRASES),
        st.builds(Reaches, fact=st.sampled_from(FACTS), value=numbers),
    ]
    if concepts:
        named = st.sampled_from(concepts)
        counts = st.integers(1, 3) | st.just(COUNT_MAX)
        found.append(st.builds(Mentions, channel=channels, concept=named, at_least=counts))
    return st.one_of(found)


@st.composite
def task_rules(draw: st.DrawFn, task: str, concepts: list[str]) -> TaskRules:
    labels = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    literals = st.builds(Literal, predicate=predicates(concepts), negated=st.booleans())
    rules = st.builds(
        Rule,
        task=st.just(task),
        body=st.lists(literals, min_size=1, max_size=3).map(tuple),
        label=st.sampled_from(labels),
        note=st.none() | st.text(max_size=3),
    )
    found = draw(st.lists(rules, max_size=3, unique_by=lambda rule: rule.id))
    reliabilities = st.builds(Reliability, value=RATIOS, fitted=st.booleans())
    return TaskRules(
        labels=tuple(labels),
        rules=tuple(found),
        reliability={rule.id: draw(reliabilities) for rule in found},
        answer_at=draw(RATIOS),
        fuse_at=draw(RATIOS),
        vote_weight=draw(st.floats(0, 100)),
        defaults=draw(st.booleans()),
    )


@st.composite
def releases(draw: st.DrawFn) -> Release:
    concepts = draw(st.dictionaries(NAMES, st.lists(PHRASES, min_size=1, max_size=3), max_size=2))
    names = draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))
    tasks = {name: draw(task_rules(name, sorted(concepts))) for name in names}
    settings = st.one_of(st.text(max_size=5), st.integers(-9, 9), st.floats(-1e9, 1e9))
    return Release(
        domain=draw(st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True)),
        labels_digest=labels_digest({name: task.labels for name, task in tasks.items()}),
        tasks=tasks,
        lexicon=Lexicon.of(concepts),
        bundle=draw(st.none() | NAMES),
        examples_digest=draw(st.none() | NAMES),
        settings=draw(st.dictionaries(NAMES, settings, max_size=3)),
    )


HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
DIGESTS = HEX.map("sha256:".__add__)
ACTIVATIONS = st.builds(
    Activation,
    domain=st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True),
    labels_digest=HEX,
    digest=DIGESTS,
    shadow=st.none() | DIGESTS,
    sequence=st.integers(1, 2**53),
    by=st.text(st.characters(codec="utf-8"), max_size=9),
    at_ms=st.integers(0, 2**53),
)
ENVELOPES = st.builds(
    lambda content, keys, purpose: [
        signed := Signed(content=content, signatures=()),
        *[signed := cosign(signed, key, purpose) for key in keys],
    ][-1],
    st.binary(max_size=40),
    st.lists(st.sampled_from(KEYS), max_size=2),
    PURPOSES,
)


@UNTIMED
@given(release=releases())
def test_a_release_is_read_back_from_its_bytes(release: Release) -> None:
    content = canonical_bytes(release)
    assert read_release(content) == release
    assert canonical_bytes(read_release(content)) == content


@UNTIMED
@given(release=releases(), note=st.text(st.characters(codec="utf-8"), max_size=9))
def test_notes_and_the_order_of_literals_leave_the_digest_alone(
    release: Release, note: str
) -> None:
    tasks = {
        name: replace(
            task,
            rules=tuple(replace(r, body=r.body[::-1] + r.body, note=note) for r in task.rules),
        )
        for name, task in reversed(list(release.tasks.items()))
    }
    told_otherwise = replace(release, tasks=tasks)
    assert digest(canonical_bytes(told_otherwise)) == digest(canonical_bytes(release))


@UNTIMED
@given(activation=ACTIVATIONS)
def test_an_activation_is_read_back_from_its_bytes(activation: Activation) -> None:
    assert activation_from_bytes(activation_to_bytes(activation)) == activation


@UNTIMED
@given(signed=ENVELOPES)
def test_an_envelope_is_read_back_from_its_bytes(signed: Signed) -> None:
    assert signed_from_bytes(signed_to_bytes(signed)) == signed


@UNTIMED
@given(content=st.binary(), purpose=PURPOSES)
def test_what_was_signed_verifies_for_its_purpose_alone(content: bytes, purpose: Purpose) -> None:
    signed = sign(content, KEYS[0], purpose)
    assert TRUST.verify(signed, purpose) == (key_id(KEYS[0].public_key()),)
    other: Purpose = "activation" if purpose == "release" else "release"
    with pytest.raises(RuleStoreError):
        TRUST.verify(signed, other)


@UNTIMED
@given(content=st.binary(max_size=40), purpose=PURPOSES, bit=st.integers(min_value=0))
def test_one_flipped_bit_of_an_envelope_is_refused(
    content: bytes, purpose: Purpose, bit: int
) -> None:
    envelope = bytearray(signed_to_bytes(sign(content, KEYS[0], purpose)))
    place = bit % (8 * len(envelope))
    envelope[place // 8] ^= 1 << place % 8
    try:
        spoilt = signed_from_bytes(bytes(envelope))
        TRUST.verify(spoilt, purpose)
    except RuleStoreError:
        return
    # Only the minor version may differ unnoticed: it is no part of what is signed or decided.
    assert spoilt == sign(content, KEYS[0], purpose)
    assert place // 8 in range(6, 8)


def spoil(content: bytes, place: int, length: int, put: bytes) -> bytes:
    start = place % (len(content) + 1)
    return content[:start] + put + content[start + length :]


def refused(read: Callable[[bytes], object], content: bytes) -> RuleStoreError | None:
    """Read, and give the refusal; any other error fails the test."""
    try:
        read(content)
    except RuleStoreError as refusal:
        return refusal
    return None


def is_plain(refusal: RuleStoreError | None, kind: type[RuleStoreError]) -> bool:
    return refusal is None or (isinstance(refusal, kind) and str(refusal).isprintable())


PLACES = st.integers(0, 10_000)
LENGTHS = st.integers(0, 4)


@UNTIMED
@given(content=st.binary())
def test_random_bytes_are_refused_by_every_reader(content: bytes) -> None:
    with pytest.raises(InvalidRelease):
        read_release(content)
    with pytest.raises(InvalidActivation):
        activation_from_bytes(content)
    with pytest.raises(InvalidEnvelope):
        signed_from_bytes(content)


@UNTIMED
@given(release=releases(), place=PLACES, length=LENGTHS, put=st.binary(max_size=4))
def test_spoilt_release_bytes_are_read_or_refused(
    release: Release, place: int, length: int, put: bytes
) -> None:
    content = spoil(canonical_bytes(release), place, length, put)
    assert is_plain(refused(read_release, content), InvalidRelease)


@UNTIMED
@given(activation=ACTIVATIONS, place=PLACES, length=LENGTHS, put=st.binary(max_size=4))
def test_spoilt_activation_bytes_are_read_or_refused(
    activation: Activation, place: int, length: int, put: bytes
) -> None:
    content = spoil(activation_to_bytes(activation), place, length, put)
    assert is_plain(refused(activation_from_bytes, content), InvalidActivation)


@UNTIMED
@given(signed=ENVELOPES, place=PLACES, length=LENGTHS, put=st.binary(max_size=4))
def test_spoilt_envelopes_are_read_or_refused(
    signed: Signed, place: int, length: int, put: bytes
) -> None:
    content = spoil(signed_to_bytes(signed), place, length, put)
    assert is_plain(refused(signed_from_bytes, content), InvalidEnvelope)


def json_values(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[object]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | numbers | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=5,
    )


JSON = json_values(st.floats(allow_nan=False))
FINITE_JSON = json_values(st.floats(allow_nan=False, allow_infinity=False))


@UNTIMED
@given(release=releases(), put=JSON, data=st.data())
def test_a_release_with_any_value_in_any_place_is_read_or_refused(
    release: Release, put: object, data: st.DataObject
) -> None:
    top = json.loads(canonical_bytes(release))
    inner = top
    while True:
        keys = range(len(inner)) if isinstance(inner, list) else sorted(inner)
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inner[key], list | dict) or data.draw(st.booleans()):
            inner[key] = put
            break
        inner = inner[key]
    content = json.dumps(top).encode()
    assert is_plain(refused(read_release, content), InvalidRelease)


@UNTIMED
@given(release=releases(), test=st.text(max_size=9), put=FINITE_JSON, data=st.data())
def test_a_literal_that_makes_another_test_is_refused(
    release: Release, test: str, put: object, data: st.DataObject
) -> None:
    """None of a rule's conditions is ever passed over: it would fire where it must not."""
    top = json.loads(canonical_bytes(release))
    literals = [
        literal
        for task in top["tasks"].values()
        for rule in task["rules"]
        for literal in rule["body"]
    ]
    assume(literals and test not in ("has", "line", "mentions", "reaches"))
    literal = data.draw(st.sampled_from(literals))
    for name in ("has", "line", "mentions", "reaches"):
        literal.pop(name, None)
    literal[test] = put
    with pytest.raises(InvalidRelease, match="update kdsl"):
        read_release(json.dumps(top).encode())
