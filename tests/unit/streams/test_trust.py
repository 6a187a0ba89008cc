"""A worker's trust store counts as it stands on disk, and trusts nobody while it cannot be read."""

import os
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import KeyRefused, Signed, Untrusted, new_key, public_path, sign
from streams.errors import InvalidSettings
from streams.settings import Settings
from streams.trust import TrustOnDisk, trust_of

CONTENT = b"{}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trust store that knows the key `old`."""
    store = tmp_path / "trusted"
    store.mkdir()
    make_key(tmp_path, "old")
    put(tmp_path, "old")
    return store


def make_key(folder: Path, name: str) -> Ed25519PrivateKey:
    return new_key(folder / f"{name}.key")


def put(folder: Path, name: str) -> None:
    shutil.copy(public_path(folder / f"{name}.key"), folder / "trusted" / f"{name}.pem")


def signed_by(key: Ed25519PrivateKey) -> Signed:
    return sign(CONTENT, key, "activation")


def refused(trust: TrustOnDisk, signed: Signed) -> str:
    with pytest.raises((KeyRefused, Untrusted)) as caught:
        trust.verify(signed, "activation")
    return str(caught.value)


def test_a_key_that_is_trusted_later_counts(folder: Path) -> None:
    trust = TrustOnDisk(folder)
    signed = signed_by(make_key(folder.parent, "new"))
    assert "does not know" in refused(trust, signed)
    put(folder.parent, "new")
    assert len(trust.verify(signed, "activation")) == 1


def test_a_key_that_is_retired_counts_no_longer(folder: Path) -> None:
    new = make_key(folder.parent, "new")
    put(folder.parent, "new")
    trust = TrustOnDisk(folder)
    assert len(trust.verify(signed_by(new), "activation")) == 1
    (folder / "new.pem").unlink()
    assert "does not know" in refused(trust, signed_by(new))


def test_a_file_in_the_place_of_another_of_its_size_and_time_is_seen(folder: Path) -> None:
    """As when a tool keeps times: only the file itself is another."""
    trust = TrustOnDisk(folder)
    new = make_key(folder.parent, "new")
    old_file, new_file = folder / "old.pem", public_path(folder.parent / "new.key")
    seen = old_file.stat()
    assert new_file.stat().st_size == seen.st_size
    os.utime(new_file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    new_file.replace(old_file)
    assert len(trust.verify(signed_by(new), "activation")) == 1


def test_a_store_that_is_emptied_or_gone_trusts_nobody_and_recovers(folder: Path) -> None:
    trust = TrustOnDisk(folder)
    old = signed_by(make_key(folder.parent, "again"))
    put(folder.parent, "again")
    assert trust.verify(old, "activation")
    hidden = folder.parent / "hidden"
    folder.rename(hidden)
    assert "cannot be read" in refused(trust, old)
    folder.mkdir()
    assert "holds no public key" in refused(trust, old)
    folder.rmdir()
    hidden.rename(folder)
    assert trust.verify(old, "activation")


def test_a_store_with_a_broken_or_private_key_trusts_nobody_and_recovers(folder: Path) -> None:
    old = make_key(folder.parent, "again")
    put(folder.parent, "again")
    trust = TrustOnDisk(folder)
    wrong = folder / "wrong.pem"
    wrong.write_text("half a ke")
    assert "holds no PEM public key" in refused(trust, signed_by(old))
    wrong.unlink()
    assert trust.verify(signed_by(old), "activation")
    shutil.copy(folder.parent / "again.key", wrong)
    assert "holds a private key" in refused(trust, signed_by(old))
    wrong.unlink()
    assert trust.verify(signed_by(old), "activation")


def test_a_single_file_is_read_again_too(tmp_path: Path) -> None:
    keys = [new_key(tmp_path / f"{name}.key") for name in ("a", "b")]
    file = tmp_path / "trusted.pem"
    shutil.copy(public_path(tmp_path / "a.key"), file)
    trust = TrustOnDisk(file)
    with file.open("ab") as both:
        both.write(public_path(tmp_path / "b.key").read_bytes())
    for key in keys:
        assert len(trust.verify(signed_by(key), "activation")) == 1


def test_whom_to_trust_must_be_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="--allow-unsigned"):
        trust_of(Settings())
    with pytest.raises(InvalidSettings, match="cannot be read"):
        trust_of(Settings(trust=tmp_path / "absent"))
    assert trust_of(Settings(allow_unsigned=True)) is None
