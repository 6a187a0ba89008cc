"""A release of a file goes into the registry with the signatures that are known to fit."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import Signature, Signed, TrustStore, Untrusted, cosign, digest, key_id, sign
from rule_store.registry import Registry, default_registry_path
from rule_store.registry_errors import RegistryConflict
from streams.activating import Wanted
from streams.cli.release_options import NamedRelease, RegistryOption, find_anywhere, register
from streams.cli.terminal import at_home
from streams.errors import ReleaseRefused
from streams.settings import Settings
from tests.factories import NOW_MS
from tests.registries import make_content, make_signature, make_signed

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
KEY_ID = key_id(KEY.public_key())
OTHER_ID = key_id(OTHER.public_key())

SIGNED = sign(make_content("one"), KEY, "release")
NAME = digest(SIGNED.content)
# What is no signature of KEY, and one of nobody.
WRONG = Signature(key_id=KEY_ID, value=b"\3" * 64)
INVENTED = make_signature("nobody")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "registry.db") as registry:
        yield registry


def with_signatures(*signatures: Signature) -> Signed:
    return replace(SIGNED, signatures=signatures)


def put(
    registry: Registry,
    signed: Signed,
    *,
    key: Ed25519PrivateKey | None = KEY,
    trust: TrustStore | None = None,
) -> None:
    named = NamedRelease(signed=signed, file=Path("shop.release"))
    wanted = Wanted(release=named.digest, key=key, trust=trust, by="ann", at_ms=NOW_MS)
    register(named, registry, wanted)


def store(*keys: Ed25519PrivateKey) -> TrustStore:
    return TrustStore(keys={key_id(key.public_key()): key.public_key() for key in keys})


@pytest.mark.parametrize(
    "signed",
    [with_signatures(), with_signatures(WRONG), with_signatures(INVENTED)],
    ids=["unsigned", "wrong", "invented"],
)
def test_what_workers_would_refuse_is_not_put_there(registry: Registry, signed: Signed) -> None:
    with pytest.raises(Untrusted):
        put(registry, signed)
    with pytest.raises(ReleaseRefused, match="kdsl keys trust"):
        put(registry, SIGNED, trust=store(OTHER))
    assert registry.releases() == ()


def test_signatures_that_nobody_can_verify_are_left_out(registry: Registry) -> None:
    put(registry, with_signatures(INVENTED, *cosign(SIGNED, OTHER, "release").signatures))
    assert registry.signed(NAME) == SIGNED


def test_a_signature_of_any_trusted_key_is_kept(registry: Registry) -> None:
    both = cosign(SIGNED, OTHER, "release")
    put(registry, both, trust=store(KEY, OTHER))
    assert registry.release(NAME).signed_by == (KEY_ID, OTHER_ID)


def test_a_good_signature_that_stands_survives_a_wrong_one_of_a_file(registry: Registry) -> None:
    registry.add_release(SIGNED, by="ann", at_ms=NOW_MS)
    put(registry, with_signatures(WRONG, INVENTED))
    assert registry.signed(NAME) == SIGNED


def test_a_wrong_signature_that_was_kept_unverified_gives_way_to_the_right_one(
    registry: Registry,
) -> None:
    put(registry, with_signatures(WRONG, INVENTED), key=None)
    assert registry.release(NAME).signed_by == (KEY_ID, INVENTED.key_id)
    put(registry, SIGNED)
    assert registry.signed(NAME).signatures == (INVENTED, *SIGNED.signatures)
    (newest, _) = registry.audit()
    assert newest.details == {"signed_by": [KEY_ID], "replaced": [KEY_ID]}


def test_where_nothing_can_be_verified_no_signature_gives_way(registry: Registry) -> None:
    put(registry, with_signatures(WRONG), key=None)
    with pytest.raises(RegistryConflict, match="activate the file with --trust"):
        put(registry, SIGNED, key=None)
    assert registry.signed(NAME) == with_signatures(WRONG)


def test_a_file_brings_the_signature_that_the_registry_lacked(registry: Registry) -> None:
    registry.add_release(with_signatures(), by="ann", at_ms=NOW_MS)
    put(registry, SIGNED)
    assert registry.signed(NAME) == SIGNED


def test_where_nobodys_signatures_count_they_are_kept_unverified(registry: Registry) -> None:
    put(registry, make_signed("one", "nobody"), key=None)
    assert registry.release(NAME).signed_by == (INVENTED.key_id,)


def test_a_release_of_the_registry_is_left_as_it_is(registry: Registry) -> None:
    registry.add_release(with_signatures(), by="ann", at_ms=NOW_MS)
    named = NamedRelease(signed=with_signatures(INVENTED), file=None)
    register(named, registry, Wanted(release=NAME, key=KEY, by="ann", at_ms=NOW_MS))
    assert registry.signed(NAME).signatures == ()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other folders for it")
def test_help_names_the_file_that_is_the_registry_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    _, option = get_args(RegistryOption)
    assert f"default: {at_home(default_registry_path())})" in option.help


def test_a_name_that_is_no_digest_makes_no_registry(tmp_path: Path) -> None:
    place = tmp_path / "registry.db"
    with pytest.raises(ReleaseRefused, match="neither a file nor"):
        find_anywhere("try.releese", Settings(registry=str(place)))
    assert not place.exists()


def test_a_file_that_is_no_release_is_named(tmp_path: Path) -> None:
    file = tmp_path / "intent.rules"
    file.write_text("when")
    with pytest.raises(ReleaseRefused, match=r"intent\.rules is no release file"):
        find_anywhere(str(file), Settings())
