"""`kdsl release activate | rollback | sync` on a real Kafka: kills, races, and what was lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from rule_store import canonical_bytes, key_id, load_key, new_key, public_path, sign
from rule_store.registry import Registry
from streams.building import build_release, pack_rules
from streams.cli.main import app
from streams.local_broker import LocalBroker
from streams.trust_folder import trust_key
from tests.commands import kdsl
from tests.factories import NOW_MS
from tests.postgres import PostgresServer
from tests.system import System

pytestmark = pytest.mark.kafka

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    with System(kafka=kafka, folder=tmp_path) as system:
        yield system


def environment(system: System) -> dict[str, str]:
    return {
        "KDSL_BOOTSTRAP": system.bootstrap,
        "KDSL_PREFIX": system.prefix,
        "KDSL_REGISTRY": str(system.registry),
    }


def run(system: System, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return kdsl("release", *arguments, **environment(system))


def ran(system: System, *arguments: str | Path) -> str:
    finished = run(system, *arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stderr


def retire(system: System, key: str, trust: Path) -> "subprocess.CompletedProcess[str]":
    return kdsl("keys", "retire", key, "--trust", trust, **environment(system))


def put(system: System, answer_at: float) -> str:
    """A release in the registry, signed by the system's key; its digest."""
    release = build_release(system.domain, pack_rules(system.domain), settings={"at": answer_at})
    signed = sign(canonical_bytes(release), load_key(system.key), "release")
    with Registry.open(system.registry) as registry:
        return registry.add_release(signed, by="ann", at_ms=NOW_MS).digest


def running(system: System) -> str | None:
    """The release that a worker has in force."""
    with urlopen(f"http://127.0.0.1:{system.ports['tagger']}/metrics", timeout=10) as answer:
        metrics = answer.read().decode()
    return metrics.partition('kdsl_release_info{digest="')[2].partition('"')[0] or None


def keys(system: System) -> list[str]:
    return [(record.key or b"").decode().partition("/")[0] for record in system.records("releases")]


def test_a_release_is_activated_rolled_back_and_each_is_taken_over(system: System) -> None:
    one, two = put(system, 0.1), put(system, 0.2)
    assert "(sequence 1)" in ran(system, "activate", one[7:19], "--key", system.key)
    system.start("tagger")
    assert running(system) == one
    assert "(sequence 2)" in ran(system, "activate", two, "--key", system.key, "--expect", one)
    system.until(lambda: running(system) == two, "the second is in force")
    output = ran(system, "rollback", "--key", system.key, "--by", "bob")
    assert f"rolling back storefront from {two[7:19]} to {one[7:19]}" in output
    system.until(lambda: running(system) == one, "the first is in force again")
    history = run(system, "history").stdout
    assert "bob" in history
    assert "no: run sync" not in history


def test_a_release_file_that_the_registry_does_not_know_is_added(
    system: System, tmp_path: Path
) -> None:
    out = tmp_path / "shop.release"
    elsewhere = tmp_path / "elsewhere.db"
    ran(system, "build", "--key", system.key, "--out", out, "--registry", elsewhere)
    assert "goes into the registry" in ran(system, "activate", out, "--key", system.key)
    with Registry.open(system.registry) as registry:
        (row,) = registry.releases()
        assert [each.activation.digest for each in registry.history("storefront")] == [row.digest]


def test_an_activation_must_be_signed_or_said_to_be_unsigned(system: System) -> None:
    finished = run(system, "activate", put(system, 0.1))
    assert finished.returncode == 1
    assert "--allow-unsigned" in finished.stderr
    assert system.records("releases") == []


def test_with_a_trust_store_only_its_keys_activate(system: System, tmp_path: Path) -> None:
    one = put(system, 0.1)
    stranger = tmp_path / "stranger.key"
    new_key(stranger)
    trust = ("--trust", public_path(system.key))
    finished = run(system, "activate", one, "--key", stranger, *trust)
    assert finished.returncode == 1
    assert "kdsl keys trust" in finished.stderr
    ran(system, "activate", one, "--key", system.key, *trust)


@pytest.mark.parametrize(("when", "there"), [("before", 0), ("between", 1), ("after", 2)])
def test_what_a_kill_left_unpublished_is_published_by_sync(
    system: System, when: str, there: int
) -> None:
    one = put(system, 0.1)
    program = [sys.executable, "-m", "tests.integration.release_killer", when]
    places = [str(system.registry), one, str(system.key), system.bootstrap, system.prefix]
    killed = subprocess.run(
        [*program, *places],
        cwd=CHECKOUT,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(system.records("releases")) == there
    assert "no: run sync" in run(system, "history").stdout
    ran(system, "sync")
    assert set(keys(system)) == {"release", "active"}
    assert keys(system).count("active") == 1
    count = len(system.records("releases"))
    assert "no: run sync" not in run(system, "history").stdout
    assert "stands in the topic" in ran(system, "sync")
    assert len(system.records("releases")) == count, "synchronising again changes nothing"
    system.start("tagger")
    assert running(system) == one


def test_an_older_activation_replayed_over_the_newer_is_overwritten_by_sync(
    system: System,
) -> None:
    one, two = put(system, 0.1), put(system, 0.2)
    for name in (one, two):
        ran(system, "activate", name, "--key", system.key)
    old = next(each for each in system.records("releases") if each.key and each.key[:1] == b"a")
    system.send_raw("releases", [(old.key, old.value)])
    assert "published again" in ran(system, "sync")
    last = system.records("releases")[-1]
    assert last.key == old.key
    assert last.value != old.value
    system.start("tagger")
    assert running(system) == two


def test_of_two_who_race_upon_the_same_predecessor_one_is_refused(system: System) -> None:
    names = (put(system, 0.1), put(system, 0.2))
    program = [sys.executable, "-m", "streams.cli", "release", "activate", "--expect", "0"]
    program += ["--key", str(system.key)]
    racers = [
        subprocess.Popen(
            [*program, name, "--by", by],
            env=os.environ | environment(system),
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, by in zip(names, ("ann", "bob"), strict=True)
    ]
    said = [racer.communicate(timeout=120)[1] for racer in racers]
    assert sorted(racer.returncode for racer in racers) == [0, 1], said
    loser = next(place for place, racer in enumerate(racers) if racer.returncode)
    winner = ("bob", "ann")[loser]
    assert f"{winner} has activated {names[1 - loser]} (sequence 1)" in said[loser]
    assert "where sequence 0 was expected" in said[loser]
    assert keys(system).count("active") == 1


def test_a_sequence_of_another_registry_is_stepped_over_and_told(
    system: System, tmp_path: Path
) -> None:
    one = put(system, 0.1)
    ran(system, "activate", one, "--key", system.key)
    out = tmp_path / "shop.release"
    other = ("--registry", tmp_path / "other.db")
    ran(system, "build", "--key", system.key, "--out", out, *other)
    output = ran(system, "activate", out, "--key", system.key, *other)
    assert "warning: the topic already had" in output
    assert "(sequence 2)" in output
    finished = run(system, "sync")
    assert finished.returncode == 1
    assert "which this registry has not decided" in finished.stderr


def test_without_kafka_nothing_is_decided(system: System) -> None:
    one = put(system, 0.1)
    finished = run(system, "activate", one, "--key", system.key, "--bootstrap", "127.0.0.1:1")
    assert finished.returncode == 1
    with Registry.open(system.registry) as registry:
        assert registry.history("storefront") == ()


def test_a_key_is_retired_once_release_and_activation_have_another(
    system: System, tmp_path: Path
) -> None:
    """The way that docs/releases.md shows: co-sign, sync, activate with the new key, retire."""
    new, trust = tmp_path / "new.key", tmp_path / "trust"
    new_key(new)
    old_id = key_id(load_key(system.key).public_key())
    one = put(system, 0.1)
    ran(system, "activate", one, "--key", system.key)
    for key in (system.key, new):
        trust_key(trust, load_key(key).public_key())
    assert "is signed by no trusted key but" in retire(system, old_id, trust).stderr
    assert "run `kdsl release sync`" in ran(system, "sign", one, "--key", new)
    assert "published again" in ran(system, "sync")
    assert "was activated with no trusted key but" in retire(system, old_id, trust).stderr
    ran(system, "activate", one, "--key", new, "--trust", trust)
    assert retire(system, old_id, trust).returncode == 0
    system.start("tagger", "--trust", str(trust))
    assert running(system) == one


def test_a_key_stays_while_the_signature_beside_it_is_in_the_registry_only(
    system: System, tmp_path: Path
) -> None:
    """Workers that start read the topic: they would refuse what is signed there by nobody else."""
    new, trust = tmp_path / "new.key", tmp_path / "trust"
    new_key(new)
    old_id = key_id(load_key(system.key).public_key())
    one = put(system, 0.1)
    for key in (system.key, new):
        trust_key(trust, load_key(key).public_key())
    ran(system, "activate", one, "--key", new, "--trust", trust)
    ran(system, "sign", one, "--key", new)
    refusal = retire(system, old_id, trust).stderr
    assert f"is signed in the topic by no trusted key but {old_id}" in refusal
    assert "kdsl release sync" in refusal
    ran(system, "sync")
    two = put(system, 0.2)
    ran(system, "activate", one, "--shadow", two, "--key", new, "--trust", trust)
    ran(system, "sign", two, "--key", new)
    refusal = retire(system, old_id, trust).stderr
    assert f"in shadow for storefront, is signed in the topic by no trusted key but {old_id}" in (
        refusal
    )
    ran(system, "sync")
    assert retire(system, old_id, trust).returncode == 0


def test_a_postgresql_registry_is_upgraded_first_and_its_password_is_not_shown(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KDSL_REGISTRY", postgres_url)
    out = tmp_path / "shop.release"

    def said(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["release", *arguments])
        text = f"{result.output}{result.exception or ''}"
        assert PostgresServer.password not in text
        return text

    assert "kdsl release registry upgrade" in said("list")
    assert "has the schema of this kdsl" in said("registry", "upgrade")
    said("build", "--out", str(out))
    assert "storefront" in said("list")
    assert "has schema base now" in said("registry", "downgrade", "base", "--yes")
    assert "kdsl release registry upgrade" in said("list")
