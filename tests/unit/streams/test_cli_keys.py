"""`kdsl keys`: generate, list, trust and retire over a trust store that workers may be reading."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    KeyRefused,
    TrustStore,
    Untrusted,
    activation_to_bytes,
    cosign,
    load_key,
    public_path,
    sign,
    signed_to_bytes,
)
from rule_store.registry import Registry
from streams.errors import BrokerUnreachable, FolderInUse, InvalidSettings
from streams.folder_lock import FolderLock
from streams.ports import free_port
from streams.trust_folder import InForce, retire_key
from tests.command_groups import Commands, id_of
from tests.factories import NOW_MS
from tests.registries import LABELS_DIGEST, make_content

KDSL = Commands(group="keys")
run, ran, refused = KDSL.run, KDSL.ran, KDSL.refused


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trust store that every command uses."""
    monkeypatch.setenv("KDSL_REGISTRY", str(tmp_path / "registry.db"))
    monkeypatch.setenv("KDSL_TRUST", str(tmp_path / "trust"))
    return tmp_path / "trust"


@pytest.fixture
def ann(tmp_path: Path) -> Path:
    return made(tmp_path / "ann.key")


@pytest.fixture
def bob(tmp_path: Path) -> Path:
    return made(tmp_path / "bob.key")


def made(path: Path) -> Path:
    ran("generate", path)
    return path


def put(tmp_path: Path, signers: tuple[Path, ...], phrase: str) -> str:
    """A release in the registry, signed by some keys; its digest."""
    keys: list[Ed25519PrivateKey] = [load_key(key) for key in signers]
    signed = sign(make_content(phrase), keys[0], "release")
    for key in keys[1:]:
        signed = cosign(signed, key, "release")
    with Registry.open(tmp_path / "registry.db") as registry:
        return registry.add_release(signed, by="ann", at_ms=NOW_MS).digest


def put_in_force(
    tmp_path: Path,
    release: tuple[Path, ...],
    activation: Path,
    phrase: str = "one",
    shadow: str | None = None,
) -> str:
    """A release in force in the registry, signed by some keys and activated by one; its digest."""

    def envelope(made: Activation) -> bytes:
        return signed_to_bytes(sign(activation_to_bytes(made), load_key(activation), "activation"))

    name = put(tmp_path, release, phrase)
    with Registry.open(tmp_path / "registry.db") as registry:
        registry.activate(
            "shop",
            LABELS_DIGEST,
            name,
            shadow=shadow,
            by="ann",
            at_ms=NOW_MS,
            make_envelope=envelope,
        )
    return name


def test_generate_makes_both_halves_and_says_which_to_give_away(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "ann.key"
    output = ran("generate", key)
    assert id_of(key) in output
    assert str(public_path(key)) in output
    assert key.stat().st_mode & 0o077 == 0
    message = refused(KeyRefused, "generate", key)
    assert message.startswith(f"{key}: exists; keys are never overwritten")


def test_a_store_that_is_not_made_yet_is_said_to_be_made_by_trust(ann: Path, folder: Path) -> None:
    for command in (("list",), ("retire", id_of(ann))):
        message = refused(KeyRefused, *command)
        assert message.startswith(f"{folder}: does not exist yet; `kdsl keys trust`")


def test_a_key_that_is_trusted_is_listed_and_counts(ann: Path, bob: Path, folder: Path) -> None:
    assert "is trusted now" in ran("trust", public_path(ann))
    assert "is trusted already" in ran("trust", public_path(ann))
    ran("trust", public_path(bob))
    listed = ran("list")
    assert id_of(ann) in listed
    assert id_of(bob) in listed
    assert set(TrustStore.load(folder).keys) == {id_of(ann), id_of(bob)}
    assert sorted(folder.iterdir()) == sorted(folder.glob("*.pem")), "nothing half written is left"


def test_a_private_key_is_not_put_into_the_store(ann: Path, folder: Path) -> None:
    assert "private key" in refused(KeyRefused, "trust", ann)
    assert not folder.exists()


def test_without_a_store_its_option_is_named(ann: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KDSL_TRUST")
    for command in (("list",), ("trust", public_path(ann)), ("retire", id_of(ann))):
        assert "--trust" in refused(InvalidSettings, *command)


def test_a_single_file_is_listed_and_not_changed(ann: Path, bob: Path) -> None:
    file = public_path(ann)
    assert id_of(ann) in ran("list", "--trust", file)
    assert "is a file" in refused(KeyRefused, "trust", public_path(bob), "--trust", file)
    assert "is a file" in refused(KeyRefused, "retire", id_of(ann), "--trust", file)


def test_a_retired_key_counts_no_longer_and_is_kept_aside(
    ann: Path, bob: Path, folder: Path
) -> None:
    for key in (ann, bob):
        ran("trust", public_path(key))
    ran("retire", id_of(ann)[:6], "--registry-only")
    assert set(TrustStore.load(folder).keys) == {id_of(bob)}
    assert (folder / "retired" / f"{id_of(ann)}.pem").is_file()


def test_a_retired_key_may_be_trusted_again(ann: Path, bob: Path, folder: Path) -> None:
    for key in (ann, bob):
        ran("trust", public_path(key))
    ran("retire", id_of(ann), "--registry-only")
    ran("trust", folder / "retired" / f"{id_of(ann)}.pem")
    assert set(TrustStore.load(folder).keys) == {id_of(ann), id_of(bob)}


def test_of_several_keys_in_a_file_only_the_one_goes(ann: Path, bob: Path, folder: Path) -> None:
    folder.mkdir()
    both = public_path(ann).read_bytes() + public_path(bob).read_bytes()
    (folder / "team.pem").write_bytes(both)
    ran("retire", id_of(ann), "--registry-only")
    assert set(TrustStore.load(folder).keys) == {id_of(bob)}


def test_a_key_the_store_does_not_hold_is_refused(ann: Path, bob: Path) -> None:
    for key in (ann, bob):
        ran("trust", public_path(key))
    assert "holds no key" in refused(KeyRefused, "retire", "0123456789abcdef")
    short = refused(KeyRefused, "retire", id_of(ann)[:5], "--registry-only")
    assert "give its first 6 digits or more" in short


def test_the_only_key_is_not_retired(ann: Path, folder: Path) -> None:
    ran("trust", public_path(ann))
    assert "trust another first" in refused(Untrusted, "retire", id_of(ann), "--registry-only")
    assert set(TrustStore.load(folder).keys) == {id_of(ann)}


def test_a_key_that_alone_signed_a_release_in_force_is_not_retired(
    ann: Path, bob: Path, folder: Path, tmp_path: Path
) -> None:
    for key in (ann, bob):
        ran("trust", public_path(key))
    name = put_in_force(tmp_path, (ann,), bob)
    message = refused(Untrusted, "retire", id_of(ann), "--registry-only")
    assert name in message
    assert f"kdsl release sign {name}" in message
    assert set(TrustStore.load(folder).keys) == {id_of(ann), id_of(bob)}


def test_a_key_that_alone_signed_an_activation_in_force_is_not_retired(
    ann: Path, bob: Path, folder: Path, tmp_path: Path
) -> None:
    for key in (ann, bob):
        ran("trust", public_path(key))
    name = put_in_force(tmp_path, (ann, bob), ann)
    message = refused(Untrusted, "retire", id_of(ann), "--registry-only")
    assert f"activate it again with another one (`kdsl release activate {name}" in message
    put_in_force(tmp_path, (ann, bob), bob)
    ran("retire", id_of(ann), "--registry-only")


def test_a_key_that_alone_signed_a_release_in_shadow_is_not_retired(
    ann: Path, bob: Path, folder: Path, tmp_path: Path
) -> None:
    """Workers that start would refuse the shadow, while those that run go on with it."""
    for key in (ann, bob):
        ran("trust", public_path(key))
    shadow = put(tmp_path, (ann,), "two")
    put_in_force(tmp_path, (bob,), bob, shadow=shadow)
    message = refused(Untrusted, "retire", id_of(ann), "--registry-only")
    assert f"release {shadow}, which is in shadow for shop, is signed by no trusted" in message
    assert f"kdsl release sign {shadow}" in message
    assert "without --shadow" in message
    assert set(TrustStore.load(folder).keys) == {id_of(ann), id_of(bob)}
    put(tmp_path, (ann, bob), "two")
    ran("retire", id_of(ann), "--registry-only")


def test_what_is_in_force_no_more_keeps_no_key(ann: Path, bob: Path, tmp_path: Path) -> None:
    for key in (ann, bob):
        ran("trust", public_path(key))
    put_in_force(tmp_path, (ann,), ann, "old")
    put_in_force(tmp_path, (bob,), bob, "new")
    ran("retire", id_of(ann), "--registry-only")


def test_where_kafka_does_not_answer_the_registry_alone_is_asked_for(
    ann: Path, bob: Path, folder: Path
) -> None:
    for key in (ann, bob):
        ran("trust", public_path(key))
    nobody = f"127.0.0.1:{free_port()}"
    message = refused(BrokerUnreachable, "retire", id_of(ann), "--bootstrap", nobody)
    assert "--registry-only" in message
    assert set(TrustStore.load(folder).keys) == {id_of(ann), id_of(bob)}


def test_one_key_of_a_folder_is_retired_at_a_time(ann: Path, bob: Path, folder: Path) -> None:
    """Of two that retire the last two keys, each would find the other's still there."""
    for key in (ann, bob):
        ran("trust", public_path(key))
    other = FolderLock(folder, holder="test")
    other.acquire()
    assert "try again" in refused(FolderInUse, "retire", id_of(ann), "--registry-only")
    other.release()
    ran("retire", id_of(ann), "--registry-only")
    assert "trust another first" in refused(Untrusted, "retire", id_of(bob), "--registry-only")
    assert set(TrustStore.load(folder).keys) == {id_of(bob)}


def test_a_key_that_was_retired_since_what_is_in_force_was_looked_up_no_longer_counts(
    ann: Path, bob: Path, folder: Path, tmp_path: Path
) -> None:
    cid = made(tmp_path / "cid.key")
    for key in (ann, bob, cid):
        ran("trust", public_path(key))
    both = frozenset((id_of(ann), id_of(bob)))
    in_force = InForce(
        domain="shop",
        digest="sha256:one",
        place="registry",
        shadow=None,
        release_signers=both,
        shadow_signers=frozenset(),
        activation_signers=both,
    )
    retire_key(folder, id_of(bob), [in_force])
    with pytest.raises(Untrusted, match="is signed by no trusted key but"):
        retire_key(folder, id_of(ann), [in_force])
