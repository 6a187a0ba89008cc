"""Signing: detached Ed25519 signatures over releases and activations, and who is trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import msgpack  # type: ignore[import-untyped, unused-ignore]
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rule_store.errors import InvalidEnvelope, KeyRefused, Untrusted, shown
from rule_store.keys import FileMark as FileMark
from rule_store.keys import key_files as key_files
from rule_store.keys import key_id as key_id
from rule_store.keys import load_key as load_key
from rule_store.keys import new_key as new_key
from rule_store.keys import public_keys as public_keys
from rule_store.keys import public_path as public_path
from rule_store.release import RELEASE_BYTES

TRUSTED_KEYS = 1000
# Room for the signatures and the field names beside the content.
ENVELOPE_BYTES = RELEASE_BYTES + 64 * 1024
SIGNATURES = 16
SIGNATURE_BYTES = 64
VERSION = "1.0"

Purpose = Literal["release", "activation"]
# The purpose is part of what is signed: a signed release cannot pass for an activation.
_PREFIXES: Mapping[Purpose, bytes] = {
    "release": b"kdsl/release\0",
    "activation": b"kdsl/activation\0",
}
# Whoever obeys would first have to trust the signer, whom nobody here knows: that comes last.
_CURES: Mapping[Purpose, str] = {
    "release": "sign it with a trusted key (`kdsl release sign … --key …`)",
    "activation": "activate with a trusted key (`kdsl release activate … --key …`)",
}
_KEY_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One key's signature; `value` holds 64 bytes."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Content and the signatures over it; signing again leaves the content's digest alone."""

    content: bytes
    signatures: tuple[Signature, ...]


def sign(content: bytes, key: Ed25519PrivateKey, purpose: Purpose) -> Signed:
    """Sign content for one purpose."""
    return cosign(Signed(content=content, signatures=()), key, purpose)


def cosign(signed: Signed, key: Ed25519PrivateKey, purpose: Purpose) -> Signed:
    """Add a signature beside those of other keys, in place of an earlier one of this key."""
    own = Signature(key_id=key_id(key.public_key()), value=key.sign(_message(signed, purpose)))
    others = tuple(each for each in signed.signatures if each.key_id != own.key_id)
    return Signed(content=signed.content, signatures=(*others, own))


def _message(signed: Signed, purpose: Purpose) -> bytes:
    return _PREFIXES[purpose] + signed.content


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustStore:
    """The public keys whose signatures count, by key id."""

    keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a PEM file, or every `*.pem` of a folder.

        Raises:
            KeyRefused: missing, unreadable, without a key, with too many, or holding a private one.
        """
        keys: dict[str, Ed25519PublicKey] = {}
        for file in key_files(path):
            keys |= {key_id(key): key for key in public_keys(file.path)}
            if len(keys) > TRUSTED_KEYS:
                raise KeyRefused(str(path), f"holds more than {TRUSTED_KEYS} keys; remove some")
        return cls(keys=keys)

    def verify(self, signed: Signed, purpose: Purpose) -> tuple[str, ...]:
        """Check that a trusted key signed exactly this content for this purpose.

        Signatures of unknown keys neither help nor harm; a wrong one of a trusted key refuses.

        Returns:
            The ids of the trusted keys that signed.

        Raises:
            Untrusted: no signature, none of a trusted key, or a wrong one.
        """
        ids = tuple(each.key_id for each in signed.signatures)
        known = [each for each in signed.signatures if each.key_id in self.keys]
        if not ids:
            raise Untrusted(f"this {purpose} carries no signature; {_CURES[purpose]}")
        if not known:
            signers = ", ".join(map(shown, ids))
            raise Untrusted(
                f"this {purpose} is signed by {signers}, whom the trust store does not know (it "
                f"knows {', '.join(self.keys)}); {_CURES[purpose]}, or, if the signer {signers} is "
                "to be trusted, add the public key with `kdsl keys trust`",
                key_ids=ids,
            )
        for each in known:
            self._verify_one(each, _message(signed, purpose), purpose)
        return tuple(each.key_id for each in known)

    def _verify_one(self, signature: Signature, message: bytes, purpose: Purpose) -> None:
        try:
            self.keys[signature.key_id].verify(signature.value, message)
        except InvalidSignature:
            raise Untrusted(
                f"the signature of key {signature.key_id} does not fit this {purpose}: it was "
                f"changed after signing, or signed as something else; sign it again",
                key_ids=(signature.key_id,),
            ) from None


def signed_to_bytes(signed: Signed) -> bytes:
    """Write content and signatures as one MessagePack map.

    Raises:
        InvalidEnvelope: more content or signatures than may be read back.
    """
    packed: bytes = msgpack.packb(
        {
            "v": VERSION,
            "content": signed.content,
            "signatures": [[each.key_id, each.value] for each in signed.signatures],
        }
    )
    signed_from_bytes(packed)
    return packed


def signed_from_bytes(envelope: bytes, *, content_bytes: int = RELEASE_BYTES) -> Signed:
    """Read an envelope of unknown origin; nothing in it is trusted yet.

    Args:
        envelope: content and signatures as `signed_to_bytes` writes them.
        content_bytes: how much content there may be.

    Raises:
        InvalidEnvelope: names what is wrong and where.
    """
    top = _unpack(envelope, limit_bytes=content_bytes + ENVELOPE_BYTES - RELEASE_BYTES)
    if not isinstance(top, dict):
        raise InvalidEnvelope("", "must be a map")
    version, content, entries = (top.get(name) for name in ("v", "content", "signatures"))
    if not isinstance(version, str) or version.partition(".")[0] != VERSION.partition(".")[0]:
        raise InvalidEnvelope("v", f"is unknown; this kdsl reads {VERSION}: update it")
    if not isinstance(content, bytes) or len(content) > content_bytes:
        raise InvalidEnvelope("content", f"must be at most {content_bytes} bytes")
    if not isinstance(entries, list) or len(entries) > SIGNATURES:
        raise InvalidEnvelope("signatures", f"must be a list of at most {SIGNATURES}")
    signatures = tuple(_signature(entry, place) for place, entry in enumerate(entries))
    if len({each.key_id for each in signatures}) != len(signatures):
        raise InvalidEnvelope("signatures", "hold a key twice")
    return Signed(content=content, signatures=signatures)


def _signature(entry: object, position: int) -> Signature:
    match entry:
        case [str(name), bytes(value)] if len(value) == SIGNATURE_BYTES and _KEY_ID.fullmatch(name):
            return Signature(key_id=name, value=value)
    raise InvalidEnvelope(f"signatures[{position}]", "must be [key id, 64 bytes]")


def _unpack(envelope: bytes, *, limit_bytes: int) -> object:
    if len(envelope) > limit_bytes:
        raise InvalidEnvelope("", f"{len(envelope)} bytes are more than the {limit_bytes} allowed")
    try:
        top: object = msgpack.unpackb(
            envelope,
            object_pairs_hook=_map,
            max_str_len=1024,
            max_bin_len=RELEASE_BYTES,
            max_array_len=SIGNATURES,
            max_map_len=16,
            max_ext_len=0,
        )
    except (ValueError, msgpack.UnpackException, RecursionError):
        raise InvalidEnvelope("", "is not the MessagePack expected; sign it again") from None
    return top


def _map(pairs: list[tuple[object, object]]) -> dict[object, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a map holds a key twice")
    return values
