"""Keys: Ed25519 key files and the ids of keys."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rule_store.errors import KeyRefused

KEY_FILE_BYTES = 1024 * 1024
KEY_FILES = 1000
KEY_ID_CHARS = 16
_PEM_END = b"-----END PUBLIC KEY-----"


def key_id(public: Ed25519PublicKey) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the raw public key."""
    return sha256(public.public_bytes_raw()).hexdigest()[:KEY_ID_CHARS]


def public_path(path: Path) -> Path:
    """Where `new_key` writes the public half: `demo.key` → `demo.pub.pem`."""
    return path.with_suffix(".pub.pem")


def new_key(path: Path) -> Ed25519PrivateKey:
    """Make a key: the private half at `path` (owner only), the public at `public_path(path)`.

    Raises:
        KeyRefused: one of the two files exists, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if public_path(path).exists():
        raise KeyRefused(str(public_path(path)), "exists; keys are never overwritten, name another")
    _write_new(path, private, mode=0o600)
    _write_new(public_path(path), public, mode=0o644)
    return key


def load_key(path: Path) -> Ed25519PrivateKey:
    """Load a private key as `new_key` writes it.

    Raises:
        KeyRefused: missing, unreadable, encrypted or of another kind.
    """
    pem = _read_key_file(path)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused(
            str(path), "is not an unencrypted PEM private key; make one, or name the private half"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(str(path), "is not an Ed25519 key; make one")
    return key


@dataclass(frozen=True, slots=True)
class FileMark:
    """What tells that a file was written, or another put in its place."""

    path: Path
    device: int
    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int


def key_files(path: Path) -> tuple[FileMark, ...]:
    """The files of a trust store as they are now: a PEM file, or every `*.pem` of a folder.

    Raises:
        KeyRefused: missing, unreadable, too many, or no files at all.
    """
    try:
        in_folder = islice(path.glob("*.pem"), KEY_FILES + 1)
        files = sorted(in_folder) if path.is_dir() else [path]
        marks = tuple(map(_mark, files))
    except OSError as error:
        raise KeyRefused(str(path), f"cannot be read ({error.strerror}); name a key") from None
    if not marks:
        raise KeyRefused(str(path), "holds no public key; put the signer's .pub.pem there")
    if len(marks) > KEY_FILES:
        raise KeyRefused(str(path), f"holds more than {KEY_FILES} keys; remove some")
    return marks


def _mark(file: Path) -> FileMark:
    seen = file.stat()
    if not stat.S_ISREG(seen.st_mode):  # a pipe can be read once only, and wait for ever
        raise KeyRefused(str(file), "is no file; put a .pub.pem there")
    return FileMark(
        file, seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
    )


def public_keys(path: Path) -> list[Ed25519PublicKey]:
    """Load all the public keys of a PEM file.

    Raises:
        KeyRefused: missing, unreadable, without a key, or holding a private one.
    """
    pem = _read_key_file(path)
    if b"PRIVATE KEY-----" in pem:
        raise KeyRefused(
            str(path), "holds a private key; a trust store takes only public ones (.pub.pem)"
        )
    blocks = [block + _PEM_END for block in pem.split(_PEM_END)[:-1]]
    if not blocks:
        raise KeyRefused(str(path), "holds no PEM public key; put a .pub.pem there")
    return [_public_key(block, path) for block in blocks]


def _public_key(block: bytes, path: Path) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused(str(path), "holds a damaged public key; copy it again") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRefused(str(path), "holds a key that is not Ed25519; use one of new_key")
    return key


def _write_new(path: Path, pem: bytes, *, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
            file.write(pem)
    except FileExistsError:
        raise KeyRefused(str(path), "exists; keys are never overwritten, name another") from None
    except OSError as error:
        raise KeyRefused(str(path), f"cannot be written ({error.strerror})") from None


def _read_key_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            pem = file.read(KEY_FILE_BYTES + 1)
    except OSError as error:
        raise KeyRefused(str(path), f"cannot be read ({error.strerror}); name a key") from None
    if len(pem) > KEY_FILE_BYTES:
        raise KeyRefused(str(path), f"is larger than {KEY_FILE_BYTES} bytes; that is no key")
    return pem
