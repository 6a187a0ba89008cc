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
from streams.obeyed import Obeyed
from streams.trust_folder import InForce
from tests import factories as make
from tests.registries import LABELS_DIGEST, make_content

ANN, BOB, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([each]) * 32) for each in (1, 2, 3))
ANN_ID, BOB_ID, EVE_ID = (key_id(each.public_key()) for each in (ANN, BOB, EVE))
TRUST = TrustStore(keys={ANN_ID: ANN.public_key(), BOB_ID: BOB.public_key()})
CONTENT = make_content("one")
NAME = digest(CONTENT)

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


def in_force(*sent: Sent) -> list[InForce]:
    obeyed = Obeyed(TRUST)
    for offset, (key, value) in enumerate(sent):
        obeyed.note(make.record(value, key=key.encode(), offset=offset))
    return list(obeyed.in_force())


def signers(*sent: Sent) -> tuple[set[str], set[str]]:
    """Of the release, and of its activation."""
    (found,) = in_force(*sent)
    assert (found.domain, found.digest, found.place) == ("shop", NAME, "topic")
    return set(found.release_signers), set(found.activation_signers)


def test_a_release_counts_with_the_signatures_it_has_in_the_topic() -> None:
    active = activation(1, ANN)
    assert signers(release(ANN), active) == ({ANN_ID}, {ANN_ID})
    assert signers(release(ANN), active, release(ANN, BOB)) == ({ANN_ID, BOB_ID}, {ANN_ID})


def test_a_release_that_is_gone_or_of_other_bytes_is_signed_by_nobody() -> None:
    active = activation(1, ANN)
    assert signers(active) == (set(), {ANN_ID})
    assert signers(release(ANN), (release_key(NAME), None), active)[0] == set()
    other = signed_to_bytes(sign(make_content("two"), ANN, "release"))
    assert signers((release_key(NAME), other), active)[0] == set()


def test_the_highest_activation_that_a_trusted_key_signed_is_in_force() -> None:
    assert signers(activation(2, BOB), activation(1, ANN))[1] == {BOB_ID}
    assert signers(activation(1, BOB), activation(9, EVE))[1] == {BOB_ID}
    assert signers(activation(1, BOB), activation(1, ANN))[1] == {BOB_ID}, "of equals the first"


def test_an_activation_under_a_key_that_is_not_its_own_counts_as_nothing() -> None:
    assert in_force(activation(1, ANN, key_of="sha256:other"), ("stray", b"1")) == []
