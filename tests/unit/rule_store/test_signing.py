"""Signing: who signed what, for which purpose."""

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import cast

import msgpack  # type: ignore[import-untyped, unused-ignore]
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    InvalidEnvelope,
    KeyRefused,
    Signature,
    Signed,
    TrustStore,
    Untrusted,
    cosign,
    key_id,
    load_key,
    new_key,
    public_path,
    sign,
    signed_from_bytes,
    signed_to_bytes,
)
from rule_store.keys import KEY_FILES
from rule_store.signing import TRUSTED_KEYS, Purpose

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
CONTENT = b'{"schema":"1.0"}'


def trust(*keys: Ed25519PrivateKey) -> TrustStore:
    return TrustStore(keys={key_id(key.public_key()): key.public_key() for key in keys})


def test_a_trusted_signature_is_accepted_and_named() -> None:
    signed = sign(CONTENT, KEY, "release")
    assert trust(KEY, OTHER_KEY).verify(signed, "release") == (key_id(KEY.public_key()),)


def test_the_signed_message_is_the_purpose_and_the_content() -> None:
    (signature,) = sign(CONTENT, KEY, "activation").signatures
    KEY.public_key().verify(signature.value, b"kdsl/activation\0" + CONTENT)


def test_a_release_does_not_pass_for_an_activation() -> None:
    with pytest.raises(Untrusted, match="signed as something else"):
        trust(KEY).verify(sign(CONTENT, KEY, "release"), "activation")


def test_a_stripped_signature_is_refused() -> None:
    with pytest.raises(Untrusted, match="carries no signature"):
        trust(KEY).verify(Signed(content=CONTENT, signatures=()), "release")


def test_an_unknown_key_is_refused_with_both_sides_named() -> None:
    with pytest.raises(Untrusted) as refusal:
        trust(KEY).verify(sign(CONTENT, OTHER_KEY, "release"), "release")
    assert refusal.value.key_ids == (key_id(OTHER_KEY.public_key()),)
    assert f"it knows {key_id(KEY.public_key())}" in str(refusal.value)


@pytest.mark.parametrize(
    ("purpose", "first"),
    [("release", "`kdsl release sign …"), ("activation", "`kdsl release activate …")],
)
def test_who_meets_an_unknown_key_is_told_to_sign_before_to_trust_it(
    purpose: Purpose, first: str
) -> None:
    """It may be an attacker's."""
    with pytest.raises(Untrusted) as refusal:
        trust(KEY).verify(sign(CONTENT, OTHER_KEY, purpose), purpose)
    signing, _, trusting = str(refusal.value).partition(", or, if the signer ")
    assert first in signing
    assert "kdsl keys trust" not in signing
    assert trusting.startswith(f'"{key_id(OTHER_KEY.public_key())}" is to be trusted')
    assert "kdsl keys trust" in trusting


def test_a_signature_under_another_keys_id_is_refused() -> None:
    signed = sign(CONTENT, OTHER_KEY, "release")
    (own,) = signed.signatures
    claimed = replace(own, key_id=key_id(KEY.public_key()))
    with pytest.raises(Untrusted):
        trust(KEY).verify(replace(signed, signatures=(claimed,)), "release")


def test_every_flipped_bit_of_content_or_signature_is_refused() -> None:
    signed = sign(b"ab", KEY, "release")
    (own,) = signed.signatures
    store = trust(KEY)
    for bit in range(16):
        with pytest.raises(Untrusted):
            store.verify(replace(signed, content=flip(b"ab", bit)), "release")
    for bit in range(512):
        forged = replace(own, value=flip(own.value, bit))
        with pytest.raises(Untrusted):
            store.verify(replace(signed, signatures=(forged,)), "release")


def flip(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_signatures_of_unknown_keys_stand_beside_a_trusted_one() -> None:
    signed = cosign(sign(CONTENT, OTHER_KEY, "release"), KEY, "release")
    assert signed.content == CONTENT
    assert trust(KEY).verify(signed, "release") == (key_id(KEY.public_key()),)
    both = {key_id(OTHER_KEY.public_key()), key_id(KEY.public_key())}
    assert set(trust(KEY, OTHER_KEY).verify(signed, "release")) == both


def test_a_wrong_signature_of_one_trusted_key_is_not_mended_by_another() -> None:
    signed = cosign(sign(CONTENT, OTHER_KEY, "activation"), KEY, "release")
    with pytest.raises(Untrusted):
        trust(KEY, OTHER_KEY).verify(signed, "release")


def test_signing_again_with_the_same_key_replaces_its_signature() -> None:
    signed = sign(CONTENT, KEY, "release")
    assert cosign(signed, KEY, "release") == signed


def test_a_new_key_is_private_and_its_public_half_is_trusted(tmp_path: Path) -> None:
    path = tmp_path / "demo.key"
    made = new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_path(path) == tmp_path / "demo.pub.pem"
    signed = sign(CONTENT, load_key(path), "release")
    made_id = key_id(made.public_key())
    assert TrustStore.load(public_path(path)).verify(signed, "release") == (made_id,)
    assert TrustStore.load(tmp_path).verify(signed, "release") == (made_id,)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "demo.key"
    new_key(path)
    before = path.read_bytes()
    with pytest.raises(KeyRefused, match="never overwritten"):
        new_key(path)
    public_path(path).unlink()
    with pytest.raises(KeyRefused, match="never overwritten"):
        new_key(path)
    assert path.read_bytes() == before
    assert not public_path(path).exists()


def test_a_key_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="cannot be written"):
        new_key(tmp_path / "missing" / "demo.key")


def test_one_file_may_hold_several_public_keys(tmp_path: Path) -> None:
    for name in ("a", "b"):
        new_key(tmp_path / f"{name}.key")
    both = tmp_path / "both"
    both.write_bytes((tmp_path / "a.pub.pem").read_bytes() + (tmp_path / "b.pub.pem").read_bytes())
    assert TrustStore.load(both) == TrustStore.load(both)
    assert set(TrustStore.load(both).keys) == set(TrustStore.load(tmp_path).keys)
    assert len(TrustStore.load(both).keys) == 2


def test_a_trust_store_with_a_private_key_is_refused(tmp_path: Path) -> None:
    new_key(tmp_path / "demo.pem")
    with pytest.raises(KeyRefused, match="holds a private key"):
        TrustStore.load(tmp_path)


def test_a_trust_store_without_usable_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="holds no public key"):
        TrustStore.load(tmp_path)
    with pytest.raises(KeyRefused, match="cannot be read"):
        TrustStore.load(tmp_path / "missing.pem")
    file = tmp_path / "a.pem"
    file.write_text("nothing")
    with pytest.raises(KeyRefused, match="holds no PEM public key"):
        TrustStore.load(tmp_path)
    file.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    with pytest.raises(KeyRefused, match="damaged"):
        TrustStore.load(tmp_path)
    file.write_bytes(
        generate_private_key(SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(KeyRefused, match="not Ed25519"):
        TrustStore.load(tmp_path)
    file.write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(KeyRefused, match="larger than"):
        TrustStore.load(tmp_path)


def test_a_trust_store_is_bounded(tmp_path: Path) -> None:
    one = new_key(tmp_path / "one.key").public_key()
    pem = one.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(KEY_FILES + 1):
        (folder / f"{number}.pem").write_bytes(pem)
    with pytest.raises(KeyRefused, match=f"more than {KEY_FILES} keys"):
        TrustStore.load(folder)
    (folder / "0.pem").unlink()
    assert len(TrustStore.load(folder).keys) == 1
    keys = (Ed25519PrivateKey.generate().public_key() for _ in range(TRUSTED_KEYS + 1))
    both = b"".join(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        for key in keys
    )
    (tmp_path / "both.pem").write_bytes(both)
    with pytest.raises(KeyRefused, match=f"more than {TRUSTED_KEYS} keys"):
        TrustStore.load(tmp_path / "both.pem")


def test_a_pipe_is_no_trust_store(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pem")
    for path in (tmp_path, tmp_path / "pipe.pem"):
        with pytest.raises(KeyRefused, match="is no file"):
            TrustStore.load(path)


@pytest.mark.parametrize("password", [None, b"secret"])
def test_a_private_key_of_another_kind_is_refused(tmp_path: Path, password: bytes | None) -> None:
    key = KEY if password else generate_private_key(SECP256R1())
    path = tmp_path / "odd.key"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password)
            if password
            else serialization.NoEncryption(),
        )
    )
    with pytest.raises(KeyRefused, match="unencrypted" if password else "not an Ed25519 key"):
        load_key(path)


def test_a_public_key_does_not_sign(tmp_path: Path) -> None:
    new_key(tmp_path / "demo.key")
    with pytest.raises(KeyRefused, match="name the private half"):
        load_key(tmp_path / "demo.pub.pem")
    with pytest.raises(KeyRefused, match="cannot be read"):
        load_key(tmp_path / "missing.key")


def test_an_envelope_is_read_back() -> None:
    signed = cosign(sign(CONTENT, KEY, "release"), OTHER_KEY, "release")
    assert signed_from_bytes(signed_to_bytes(signed)) == signed


def packed(**fields: object) -> bytes:
    valid: dict[str, object] = {"v": "1.0", "content": b"", "signatures": []}
    return cast(bytes, msgpack.packb(valid | fields))


OWN_ENTRY: list[object] = ["0" * 16, bytes(64)]


@pytest.mark.parametrize(
    ("envelope", "where"),
    [
        (b"", ""),
        (b"\xc1", ""),
        (packed() + b"\x00", ""),  # something behind it
        (b"\x91" * 100_000, ""),
        (b"\xdf\xff\xff\xff\xff", ""),
        (b"\x82\xa1v\xa31.0\xa1v\xa31.0", ""),  # a key twice
        (msgpack.packb([1]), ""),
        (msgpack.packb({"v": msgpack.ExtType(5, b"x")}), ""),
        (b"\x00" * (16 * 1024 * 1024 + 64 * 1024 + 1), ""),
        (packed(v="2.0"), "v"),
        (packed(v=1), "v"),
        (packed(content="text"), "content"),
        (packed(signatures=None), "signatures"),
        (packed(signatures=[["0" * 16]]), "signatures[0]"),
        (packed(signatures=[OWN_ENTRY, ["0" * 15, bytes(64)]]), "signatures[1]"),
        (packed(signatures=[["0" * 16, bytes(63)]]), "signatures[0]"),
        (packed(signatures=[[1, 2]]), "signatures[0]"),
        (packed(signatures=[OWN_ENTRY, OWN_ENTRY]), "signatures"),
        (packed(signatures=[OWN_ENTRY] * 17), ""),
    ],
)
def test_a_bad_envelope_is_refused_with_what_and_where(envelope: bytes, where: str) -> None:
    with pytest.raises(InvalidEnvelope) as refusal:
        signed_from_bytes(envelope)
    assert refusal.value.where == where


def test_an_envelope_may_be_bounded_below_the_largest_release() -> None:
    """An activation is small, so a large one is refused before it is unpacked or hashed."""
    fits, too_much = (signed_to_bytes(sign(bytes(size), KEY, "activation")) for size in (10, 11))
    assert signed_from_bytes(fits, content_bytes=10).content == bytes(10)
    with pytest.raises(InvalidEnvelope, match="at most 10 bytes"):
        signed_from_bytes(too_much, content_bytes=10)
    with pytest.raises(InvalidEnvelope, match="bytes are more than"):
        signed_from_bytes(bytes(64 * 1024 + 11), content_bytes=10)


def test_an_envelope_that_could_not_be_read_back_is_not_written() -> None:
    entry = Signature(key_id="short", value=b"")
    with pytest.raises(InvalidEnvelope):
        signed_to_bytes(Signed(content=b"", signatures=(entry,)))
