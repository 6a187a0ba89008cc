"""What the topic has in force and by whose signatures, whatever a registry knows beyond it."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    Signed,
    TrustStore,
    activation_to_bytes,
    cosign,
    digest,
    key_id,
    release_key,
    sign,
    signed_to_bytes,
    topic_key,
)
from streams.published import Published
from tests import factories as make
from tests.registries import LABELS_DIGEST, make_content

ANN, BOB, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([each]) * 32) for each in (1, 2, 3))
ANN_ID, BOB_ID, EVE_ID = (key_id(each.public_key()) for each in (ANN, BOB, EVE))
TRUST = TrustStore(keys={ANN_ID: ANN.public_key(), BOB_ID: BOB.public_key()})
CONTENT = make_content("one")
NAME = digest(CONTENT)
ACTIVE = f"active/shop/{LABELS_DIGEST}"

Sent = tuple[str, bytes | None]


def release(*keys: Ed25519PrivateKey) -> Sent:
    signed = Signed(content=CONTENT, signatures=())
    for key in keys:
        signed = cosign(signed, key, "release")
    return release_key(NAME), signed_to_bytes(signed)


def activation(sequence: int, key: Ed25519PrivateKey, *, key_of: str = LABELS_DIGEST) -> Sent:
    made = Activation(
        domain="shop",
        labels_digest=LABELS_DIGEST,
        digest=NAME,
        shadow=None,
        sequence=sequence,
        by="ann",
        at_ms=make.NOW_MS,
    )
    place = topic_key(made).replace(LABELS_DIGEST, key_of)
    return place, signed_to_bytes(sign(activation_to_bytes(made), key, "activation"))


def read(*sent: Sent, trust: TrustStore | None = TRUST) -> Published:
    published = Published(trust)
    for offset, (key, value) in enumerate(sent):
        published.note(make.record(value, key=key.encode(), offset=offset))
    return published


def release_signers(*sent: Sent) -> set[str] | None:
    found = read(*sent).release(NAME)
    return None if found is None else set(found.trusted)


def in_force(*sent: Sent, trust: TrustStore | None = TRUST) -> tuple[int, set[str]]:
    """Sequence and trusted signers of the only activation in force."""
    ((key, active),) = read(*sent, trust=trust).in_force.items()
    assert key == ACTIVE
    return active.activation.sequence, set(active.trusted)


def test_a_release_counts_with_the_signatures_it_has_in_the_topic() -> None:
    assert release_signers(release(ANN)) == {ANN_ID}
    assert release_signers(release(ANN), release(ANN, BOB, EVE)) == {ANN_ID, BOB_ID}
    assert release_signers(release(EVE)) == set()
    found = read(release(ANN, EVE)).release(NAME)
    assert found is not None
    assert {each.key_id for each in found.signatures} == {ANN_ID, EVE_ID}


def test_a_release_that_is_gone_or_of_other_bytes_does_not_stand_there() -> None:
    assert release_signers(activation(1, ANN)) is None
    assert release_signers(release(ANN), (release_key(NAME), None)) is None
    other = signed_to_bytes(sign(make_content("two"), ANN, "release"))
    assert release_signers(release(ANN), (release_key(NAME), other)) is None


def test_the_highest_activation_that_a_trusted_key_signed_is_in_force() -> None:
    assert in_force(activation(2, BOB), activation(1, ANN)) == (2, {BOB_ID})
    assert in_force(activation(1, BOB), activation(9, EVE)) == (1, {BOB_ID})
    assert in_force(activation(1, BOB), activation(1, ANN)) == (1, {BOB_ID}), "of equals the first"


def test_without_a_trust_store_every_activation_counts_and_no_signature() -> None:
    assert in_force(activation(1, BOB), activation(9, EVE), trust=None) == (9, set())


def test_an_activation_under_a_key_that_is_not_its_own_counts_as_nothing() -> None:
    published = read(activation(1, ANN, key_of="sha256:other"), ("stray", b"1"))
    assert (published.in_force, published.passed_over) == ({}, ())


def test_what_does_not_count_is_passed_over_with_its_reason_and_a_tombstone_is_not() -> None:
    published = read(activation(1, EVE), (ACTIVE, b"garbage"), (ACTIVE, None))
    unknown, malformed = published.passed_over
    assert (unknown.offset, malformed.offset) == (0, 1)
    assert "whom the trust store does not know" in unknown.why
    assert "is not the MessagePack expected" in malformed.why
    assert published.signers(ACTIVE) == (EVE_ID,)
    assert published.ends_with(ACTIVE, b"")


def test_what_was_passed_over_before_the_activation_in_force_needs_no_word() -> None:
    """As after a key is retired: all that it signed stands in the topic until it is compacted."""
    published = read(activation(1, EVE), activation(2, ANN), activation(3, EVE))
    assert [each.offset for each in published.passed_over] == [2]
