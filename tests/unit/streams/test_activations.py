"""Which activation a worker obeys: signed, for its domain and labels, and newer than the last."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    ACTIVATION_BYTES,
    Activation,
    Release,
    Signed,
    TrustStore,
    activation_to_bytes,
    canonical_bytes,
    digest,
    new_key,
    public_path,
    release_key,
    sign,
    signed_to_bytes,
    topic_key,
)
from streams.activations import Activations
from streams.building import build_release, pack_rules
from streams.errors import ReleaseRefused
from streams.records import Record
from streams.trust import TrustOnDisk
from tests import factories as make

DOMAIN = make.domain()
RELEASE = build_release(DOMAIN, pack_rules(DOMAIN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key, and the trust store that knows it."""

    key: Ed25519PrivateKey
    trust: TrustStore


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return new_signer(tmp_path_factory.mktemp("keys"))


def new_signer(folder: Path) -> Signer:
    key = new_key(folder / "signer.key")
    return Signer(key=key, trust=TrustStore.load(public_path(folder / "signer.key")))


def activation(sequence: int = 1, *, of: Release = RELEASE, **fields: object) -> Activation:
    known = Activation(
        domain=of.domain,
        labels_digest=of.labels_digest,
        digest=digest(canonical_bytes(of)),
        shadow=None,
        sequence=sequence,
        by="somebody",
        at_ms=make.NOW_MS,
    )
    return replace(known, **fields)  # type: ignore[arg-type]


def activating(
    known: Activation, key: Ed25519PrivateKey | None, *, under: str | None = None
) -> Record:
    content = activation_to_bytes(known)
    signed = sign(content, key, "activation") if key else Signed(content=content, signatures=())
    return make.record(signed_to_bytes(signed), key=(under or topic_key(known)).encode())


def releasing(key: Ed25519PrivateKey | None, *, of: Release = RELEASE, offset: int = 7) -> Record:
    content = canonical_bytes(of)
    signed = sign(content, key, "release") if key else Signed(content=content, signatures=())
    name = release_key(digest(content)).encode()
    return make.record(signed_to_bytes(signed), key=name, offset=offset)


@pytest.fixture
def activations(signer: Signer) -> Activations:
    return Activations(domain=DOMAIN, trust=signer.trust)


def refusal(activations: Activations, record: Record) -> str:
    with pytest.raises(ReleaseRefused) as caught:
        activations.note(record)
    return str(caught.value)


def test_a_signed_activation_of_a_published_release_is_obeyed(
    activations: Activations, signer: Signer
) -> None:
    published = releasing(signer.key, offset=7)
    assert activations.note(published) is None
    wanted = activations.note(activating(activation(), signer.key))
    assert wanted == activation()
    assert activations.offset_of(wanted.digest) == 7
    active = activations.open(wanted.digest, published.value)
    assert active.digest == digest(canonical_bytes(RELEASE))
    assert active.tasks["intent"].labels == DOMAIN.tasks["intent"].label_names


def test_each_activation_needs_a_higher_sequence(activations: Activations, signer: Signer) -> None:
    assert activations.note(activating(activation(3), signer.key)) == activation(3)
    for known in (activation(1), activation(2), activation(3, by="another")):
        message = refusal(activations, activating(known, signer.key))
        assert f"its sequence {known.sequence} is not above" in message
    assert activations.note(activating(activation(4), signer.key)) == activation(4)


def test_the_newest_activation_published_again_is_obeyed_again(
    activations: Activations, signer: Signer
) -> None:
    """The release it names may not have been there the first time."""
    for _ in range(2):
        assert activations.note(activating(activation(3), signer.key)) == activation(3)


def test_an_old_activation_sent_again_is_refused_while_nothing_is_in_force_yet(
    activations: Activations, signer: Signer
) -> None:
    """A starting worker reads the topic to its end before it obeys; the last is not the newest."""
    activations.note(activating(activation(5), signer.key))
    refusal(activations, activating(activation(4), signer.key))


def test_an_activation_of_another_domain_or_labels_is_none_of_our_business(
    activations: Activations, signer: Signer
) -> None:
    other = make.domain(name="pharmacy")
    relabelled = make.domain(labels={"intent": ("a", "b")}, rules={}, policies=())
    for domain in (other, relabelled):
        release = build_release(domain, pack_rules(domain))
        assert activations.note(activating(activation(9, of=release), signer.key)) is None
    assert activations.note(activating(activation(1), signer.key)) == activation(1)


def test_an_activation_under_our_key_that_names_another_domain_is_refused(
    activations: Activations, signer: Signer
) -> None:
    foreign = activation(9, domain="pharmacy")
    record = activating(foreign, signer.key, under=topic_key(activation()))
    assert "names another domain" in refusal(activations, record)


def test_records_of_other_keys_are_passed_over(activations: Activations) -> None:
    for key in (None, b"", b"active/", b"notes"):
        assert activations.note(make.record(b"\xc1", key=key)) is None


def test_a_deleted_activation_changes_nothing(activations: Activations) -> None:
    key = topic_key(activation()).encode()
    assert activations.note(make.record(None, key=key)) is None


@pytest.mark.parametrize("envelope", [b"", b"\xc1", b"garbage", bytes(100)])
def test_a_garbled_activation_is_refused(activations: Activations, envelope: bytes) -> None:
    key = topic_key(activation()).encode()
    assert refusal(activations, make.record(envelope, key=key)).startswith("activation refused: ")


def test_an_activation_larger_than_any_is_refused_unread(
    activations: Activations, signer: Signer
) -> None:
    large = signed_to_bytes(sign(bytes(ACTIVATION_BYTES + 1), signer.key, "activation"))
    key = topic_key(activation()).encode()
    assert f"at most {ACTIVATION_BYTES} bytes" in refusal(activations, make.record(large, key=key))


def test_an_unsigned_or_foreign_or_changed_activation_is_refused_and_the_old_one_stays(
    activations: Activations, signer: Signer, tmp_path: Path
) -> None:
    activations.note(activating(activation(1), signer.key))
    stranger = new_signer(tmp_path)
    signed = sign(activation_to_bytes(activation(2)), signer.key, "activation")
    changed = Signed(content=activation_to_bytes(activation(3)), signatures=signed.signatures)
    as_release = sign(activation_to_bytes(activation(4)), signer.key, "release")
    key = topic_key(activation()).encode()
    for bad in (
        activating(activation(5), None),
        activating(activation(6), stranger.key),
        make.record(signed_to_bytes(changed), key=key),
        make.record(signed_to_bytes(as_release), key=key),
    ):
        refusal(activations, bad)
    # None of the refused has moved the sequence on.
    assert activations.note(activating(activation(2), signer.key)) == activation(2)


def test_without_a_trust_store_anybody_is_obeyed() -> None:
    anybody = Activations(domain=DOMAIN, trust=None)
    wanted = anybody.note(activating(activation(), None))
    assert wanted == activation()
    assert anybody.open(wanted.digest, releasing(None).value).digest == wanted.digest


def test_a_release_that_was_never_published_or_was_deleted_is_refused(
    activations: Activations, signer: Signer
) -> None:
    with pytest.raises(ReleaseRefused, match="kdsl release sync"):
        activations.offset_of(activation().digest)
    published = releasing(signer.key)
    activations.note(published)
    activations.note(replace(published, value=None))
    with pytest.raises(ReleaseRefused, match="is not in the topic"):
        activations.offset_of(activation().digest)


def test_a_release_published_again_is_found_at_its_last_offset(
    activations: Activations, signer: Signer
) -> None:
    for offset in (3, 9):
        activations.note(releasing(signer.key, offset=offset))
    assert activations.offset_of(activation().digest) == 9


def test_a_release_that_is_not_what_its_key_says_is_refused(
    activations: Activations, signer: Signer
) -> None:
    other = build_release(DOMAIN, pack_rules(make.domain(rules={})))
    with pytest.raises(ReleaseRefused, match="is not what its key says"):
        activations.open(activation().digest, releasing(signer.key, of=other).value)


@pytest.mark.parametrize("envelope", [None, b"", b"\xc1", bytes(100)])
def test_a_garbled_release_is_refused(activations: Activations, envelope: bytes | None) -> None:
    with pytest.raises(ReleaseRefused, match="refused"):
        activations.open(activation().digest, envelope)


def test_an_unsigned_or_foreign_release_is_refused(
    activations: Activations, tmp_path: Path
) -> None:
    for key in (None, new_signer(tmp_path).key):
        with pytest.raises(ReleaseRefused, match="sign"):
            activations.open(activation().digest, releasing(key).value)


def test_a_release_for_other_labels_is_refused(activations: Activations, signer: Signer) -> None:
    relabelled = make.domain(labels={"intent": ("a", "b")}, rules={}, policies=())
    release = build_release(relabelled, pack_rules(relabelled))
    wanted = activation(digest=digest(canonical_bytes(release)))
    with pytest.raises(ReleaseRefused, match="built for other labels"):
        activations.open(wanted.digest, releasing(signer.key, of=release).value)


def test_a_refused_release_is_named_and_an_activation_refused_unread_names_none(
    activations: Activations, signer: Signer
) -> None:
    with pytest.raises(ReleaseRefused) as caught:
        activations.open(activation().digest, b"\xc1")
    assert caught.value.digest == activation().digest
    with pytest.raises(ReleaseRefused) as caught:
        activations.offset_of(activation().digest)
    assert caught.value.digest == activation().digest
    with pytest.raises(ReleaseRefused) as caught:
        activations.note(activating(activation(), None))
    assert caught.value.digest is None


def test_a_release_signed_only_by_a_retired_key_is_refused_the_next_time(tmp_path: Path) -> None:
    folder = tmp_path / "trusted"
    folder.mkdir()
    old, new = (new_key(tmp_path / f"{name}.key") for name in ("old", "new"))
    for name in ("old", "new"):
        public_path(tmp_path / f"{name}.key").rename(folder / f"{name}.pem")
    activations = Activations(domain=DOMAIN, trust=TrustOnDisk(folder))
    wanted = activations.note(activating(activation(1), old))
    assert wanted is not None
    assert activations.open(wanted.digest, releasing(old).value).digest == wanted.digest
    (folder / "old.pem").unlink()
    assert "does not know" in refusal(activations, activating(activation(2), old))
    again = activations.note(activating(activation(2), new))
    assert again == activation(2)
    with pytest.raises(ReleaseRefused, match="does not know"):
        activations.open(again.digest, releasing(old).value)
    assert activations.open(again.digest, releasing(new).value).digest == again.digest


def two_signers(tmp_path: Path) -> tuple[Activations, Ed25519PrivateKey, Ed25519PrivateKey]:
    """Activations that trust the first key; `trust_second` makes them trust the second too."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    first, second = (new_key(tmp_path / f"{name}.key") for name in ("first", "second"))
    public_path(tmp_path / "first.key").rename(folder / "first.pem")
    return Activations(domain=DOMAIN, trust=TrustOnDisk(folder)), first, second


def trust_second(tmp_path: Path) -> None:
    public_path(tmp_path / "second.key").rename(tmp_path / "trusted" / "second.pem")


def test_refused_activations_are_obeyed_once_their_key_is_trusted_the_newest_last(
    tmp_path: Path,
) -> None:
    activations, first, second = two_signers(tmp_path)
    activations.note(activating(activation(5), first))
    for sequence in (6, 7):
        refusal(activations, activating(activation(sequence), second))
    assert activations.reconsider() == []
    trust_second(tmp_path)
    assert activations.reconsider() == [activation(6), activation(7)]
    assert activations.reconsider() == []


def test_what_was_refused_before_an_activation_that_is_obeyed_is_forgotten(tmp_path: Path) -> None:
    """A worker that starts after compaction sees nothing of it either."""
    activations, first, second = two_signers(tmp_path)
    activations.note(activating(activation(6), first))
    refusal(activations, activating(activation(50), second))
    activations.note(activating(activation(7), first))
    trust_second(tmp_path)
    assert activations.reconsider() == []


def test_what_was_refused_and_then_deleted_is_forgotten(tmp_path: Path) -> None:
    activations, _, second = two_signers(tmp_path)
    refused = activating(activation(50), second)
    refusal(activations, refused)
    assert activations.note(replace(refused, value=None)) is None
    trust_second(tmp_path)
    assert activations.reconsider() == []


def test_junk_is_not_kept_for_a_second_look(activations: Activations, signer: Signer) -> None:
    junk = replace(activating(activation(1), signer.key), value=b"x" * 1_000_000)
    for _ in range(20):
        refusal(activations, junk)
    assert activations._refused.maxlen == 16
    assert list(activations._refused) == []
