"""A trust store as a folder: one file a key; those retired go to a folder inside it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rule_store import (
    KeyRefused,
    Purpose,
    RuleStoreError,
    Signed,
    TrustStore,
    Untrusted,
    key_files,
    key_id,
    public_keys,
)
from streams.folder_lock import FolderLock

_RETIRED = "retired"
# Fewer would be given by mistake, such as a number of a list.
_NAME_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key of the folder.

    since_ms: when its file was last written.
    """

    id: str
    public: Ed25519PublicKey
    file: Path
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A release that a domain's workers run, and the trusted keys whose signatures make them.

    shadow: the release that they evaluate beside it, if any.
    place: where that was looked up; the topic is what workers read.
    """

    domain: str
    digest: str
    shadow: str | None
    place: Literal["registry", "topic"]
    release_signers: frozenset[str]
    shadow_signers: frozenset[str]
    activation_signers: frozenset[str]


def trusted_signers(trust: TrustStore | None, signed: Signed, purpose: Purpose) -> frozenset[str]:
    """The trusted keys that signed; none when workers would refuse it, or without a trust store."""
    if trust is None:
        return frozenset()
    try:
        return frozenset(trust.verify(signed, purpose))
    except RuleStoreError:
        return frozenset()


def trusted_keys(folder: Path) -> tuple[TrustedKey, ...]:
    """The keys of a folder, or of a single file, by file.

    Raises:
        KeyRefused: it cannot be read, or holds no key.
    """
    if not folder.exists():
        raise KeyRefused(
            str(folder),
            "does not exist yet; `kdsl keys trust` makes it when it puts the first key there",
        )
    return tuple(
        TrustedKey(
            id=key_id(public),
            public=public,
            file=mark.path,
            since_ms=mark.modified_ns // 1_000_000,
        )
        for mark in key_files(folder)
        for public in public_keys(mark.path)
    )


def trust_key(folder: Path, public: Ed25519PublicKey) -> Path | None:
    """Put a key into the folder, as `<key id>.pem`; None when it is there already.

    Raises:
        KeyRefused: the folder is a file, or cannot be written.
    """
    if folder.is_file():
        raise KeyRefused(str(folder), "is a file; name a folder, which takes one file a key")
    name = key_id(public)
    if any(folder.glob("*.pem")) and name in {each.id for each in trusted_keys(folder)}:
        return None
    file = folder / f"{name}.pem"
    _write(file, public)
    return file


def retire_key(folder: Path, name: str, in_force: Iterable[InForce]) -> Path:
    """Move a key out of the folder, to where nobody looks; the new place.

    Args:
        folder: the trust store.
        name: the key id, or the first six or more digits that only it has.
        in_force: what must go on being trusted.

    Raises:
        KeyRefused: no such key, or a file in the place of a folder.
        Untrusted: the last key, or somebody's release, activation or shadow would be trusted by
            none.
        FolderInUse: another key of the folder is being retired.
    """
    find_key(folder, name)  # in vain, it leaves no lock file behind
    # Of two that retire the last two keys, each would find the other's still there.
    lock = FolderLock(folder, holder="`kdsl keys retire`", cure="try again when it has ended")
    try:
        lock.acquire()
        return _retire(folder, name, in_force)
    except OSError as error:
        raise KeyRefused(str(folder), f"cannot be written ({error.strerror})") from error
    finally:
        lock.release()


def find_key(folder: Path, name: str) -> TrustedKey:
    """The key that is called so, in a folder from which it can be taken.

    Raises:
        KeyRefused: no such key, several, or a file in the place of a folder.
    """
    if folder.is_file():
        raise KeyRefused(str(folder), "is a file; take the key out of it, or name a folder")
    keys = trusted_keys(folder)
    if len(name) < _NAME_DIGITS:
        raise KeyRefused(
            str(folder),
            f"{name!r} is too short for a key id: give its first {_NAME_DIGITS} digits or more, as "
            "`kdsl keys list` shows them",
        )
    found = {each.id: each for each in keys if each.id.startswith(name)}
    if len(found) != 1:
        fault = "holds several keys" if found else "holds no key"
        raise KeyRefused(str(folder), f"{fault} {name!r}; see them with `kdsl keys list`")
    return next(iter(found.values()))


def _retire(folder: Path, name: str, in_force: Iterable[InForce]) -> Path:
    chosen, keys = find_key(folder, name), trusted_keys(folder)
    before = frozenset(each.id for each in keys)
    if before == {chosen.id}:
        raise Untrusted(f"{chosen.id} is the only key of {folder}: trust another first")
    for each in in_force:
        _refuse_stranded(each, chosen.id, before)
    return _move(folder, chosen, keys)


def _refuse_stranded(in_force: InForce, key: str, before: frozenset[str]) -> None:
    """Raise when a release, its activation or its shadow is trusted by this key alone."""
    release = f"release {in_force.digest}, which is active for {in_force.domain},"
    there = " in the topic" if in_force.place == "topic" else ""
    publish = " publish that (`kdsl release sync`)," if there else ""
    if in_force.release_signers & before == {key}:
        raise Untrusted(
            f"{release} is signed{there} by no trusted key but {key}: sign it with another one "
            f"(`kdsl release sign {in_force.digest} --key …`),{publish} activate it with that one, "
            "then retire this one"
        )
    if in_force.activation_signers & before == {key}:
        raise Untrusted(
            f"{release} was activated{there} with no trusted key but {key}: activate it again with "
            f"another one (`kdsl release activate {in_force.digest} --key …`), then retire this one"
        )
    if in_force.shadow_signers & before == {key}:
        raise Untrusted(
            f"release {in_force.shadow}, which is in shadow for {in_force.domain}, is signed"
            f"{there} by no trusted key but {key}: sign it with another one (`kdsl release sign "
            f"{in_force.shadow} --key …`) and publish that (`kdsl release sync`), or end the "
            "shadow by activating without --shadow, then retire this one"
        )


def _move(folder: Path, chosen: TrustedKey, keys: Iterable[TrustedKey]) -> Path:
    """At every moment in between, each of the other keys stands in some file of the store."""
    files = {each.file for each in keys if each.id == chosen.id}
    for each in keys:
        if each.file in files and each.id != chosen.id:
            _write(folder / f"{each.id}.pem", each.public)
    retired = folder / _RETIRED / f"{chosen.id}.pem"
    _write(retired, chosen.public)
    for file in files - {folder / f"{each.id}.pem" for each in keys if each.id != chosen.id}:
        file.unlink()
    return retired


def _write(file: Path, public: Ed25519PublicKey) -> None:
    """Put a key where it is seen whole or not at all: workers may look at any moment."""
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    written = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        written.write_bytes(pem)
        written.replace(file)
    except OSError as error:
        raise KeyRefused(str(file), f"cannot be written ({error.strerror})") from error
