"""`kdsl release activate --shadow` and `status` on a real Kafka, and where a registry belongs."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rule_store import canonical_bytes, load_key, new_key, public_path, sign, signed_to_bytes
from rule_store.registry import Registry
from rule_store.registry_errors import RegistryConflict
from streams.building import build_release, pack_rules
from streams.codec import encode_status
from streams.errors import ReleaseRefused
from streams.events import RefusedRelease, ReleaseInForce, WorkerStatus
from streams.kafka import create_topics
from streams.local_broker import LocalBroker
from streams.publishing import KafkaReleaseTopic
from streams.role import system_now_ms
from tests.command_groups import Commands
from tests.registries import LABELS, make_content
from tests.system import System

pytestmark = pytest.mark.kafka

KDSL = Commands(group="release")
run, ran = KDSL.run, KDSL.ran


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """A system that every command of `run` is pointed at."""
    with System(kafka=kafka, folder=tmp_path) as system:
        monkeypatch.delenv("KDSL_TRUST", raising=False)
        monkeypatch.setenv("KDSL_BOOTSTRAP", system.bootstrap)
        monkeypatch.setenv("KDSL_PREFIX", system.prefix)
        monkeypatch.setenv("KDSL_REGISTRY", str(system.registry))
        yield system


def content(system: System, at: float = 0.0) -> bytes:
    return canonical_bytes(
        build_release(system.domain, pack_rules(system.domain), settings={"at": at})
    )


def put(system: System, at: float) -> str:
    """A release in the registry, signed by the system's key; its digest."""
    signed = sign(content(system, at), load_key(system.key), "release")
    with Registry.open(system.registry) as registry:
        return registry.add_release(signed, by="ann", at_ms=system_now_ms()).digest


def say(system: System, *statuses: WorkerStatus) -> None:
    system.send_raw("status", [(each.worker.encode(), encode_status(each)) for each in statuses])


def test_what_the_trust_store_of_the_environment_does_not_know_is_not_active(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_key(tmp_path / "stranger.key")
    name = system.activate(content(system))

    def said(key: Path) -> str:
        monkeypatch.setenv("KDSL_TRUST", str(public_path(key)))
        return run("status").output

    assert f"active for storefront: {name}" in said(system.key)
    stranger = said(tmp_path / "stranger.key")
    assert "no release is active" in stranger
    assert "whom the trust store does not know" in stranger


def test_a_shadow_comes_with_an_activation_and_ends_with_the_next(
    system: System, tmp_path: Path
) -> None:
    one, two = put(system, 0.1), put(system, 0.2)
    file = tmp_path / "shadow.release"
    file.write_bytes(signed_to_bytes(sign(content(system, 0.3), load_key(system.key), "release")))
    output = ran("activate", one[:15], "--key", system.key, "--shadow", file)
    assert f"of {file} goes into the registry" in output
    assert "evaluated without effect: see what it would change with `kdsl release shadow`" in output
    with Registry.open(system.registry) as registry:
        shadow = registry.releases()[0].digest
    assert f"its shadow: {shadow}" in ran("status")
    keys = [(record.key or b"").decode() for record in system.records("releases")]
    assert keys[:2] == [f"release/{one}", f"release/{shadow}"]

    ran("activate", two, "--key", system.key, "--shadow", one[7:19])
    ran("activate", two, "--key", system.key, "--expect", two)
    assert "its shadow" not in ran("status")
    ran("activate", two, "--key", system.key, "--shadow", shadow)
    assert "its shadow" not in ran("rollback", "--key", system.key)
    with Registry.open(system.registry) as registry:
        rows = [each.activation for each in registry.history("storefront")]
    assert [(row.digest, row.shadow) for row in reversed(rows)] == [
        (one, shadow),
        (two, one),
        (two, None),
        (two, shadow),
        (one, None),
    ]
    assert shadow[7:19] in ran("history")


def test_status_says_which_workers_evaluate_the_shadow_and_why_others_do_not(
    system: System,
) -> None:
    one, shadow = put(system, 0.1), put(system, 0.2)
    ran("activate", one, "--key", system.key, "--shadow", shadow)
    now_ms = system_now_ms()
    running = ReleaseInForce(digest=one, sequence=1, since_ms=now_ms)
    pending = WorkerStatus(
        worker="storefront-tagger-0",
        role="tagger",
        domain="storefront",
        version="1",
        at_ms=now_ms,
        interval_ms=3_600_000,
        labels_digest=system.domain.labels_digest,
        in_force=running,
    )
    evaluating = replace(
        pending, worker="storefront-tagger-1", in_force=replace(running, shadow=shadow)
    )
    refusal = RefusedRelease(digest=shadow, why="shadow: it is signed by nobody", at_ms=now_ms)
    refusing = replace(pending, worker="storefront-tagger-2", refusal=refusal)
    say(system, pending, evaluating, refusing)
    result = run("status", "--expect-all")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    names = "storefront-tagger-0, storefront-tagger-2"
    assert f"2 of 3 live workers do not evaluate its shadow: {names}" in lines
    short = shadow[7:19]
    ends = [line.split()[-1] for line in lines if " tagger " in line]
    assert ends == ["no", "yes", "no"]
    assert f"storefront-tagger-0: its shadow {short} is not evaluated yet" in lines
    why = f"its shadow {short} is not evaluated: shadow: it is signed by nobody"
    assert f"storefront-tagger-2: {why}" in lines
    assert sum(refusal.why in line for line in lines) == 1
    said = json.loads(run("status", "--json").stdout)
    assert [each["missing_shadow"] for each in said["workers"]] == [shadow, None, shadow]


def test_a_registry_is_kept_to_its_prefix_until_it_is_bound_elsewhere(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = put(system, 0.1), put(system, 0.2)
    for name in (one, two):
        ran("activate", name, "--key", system.key)
    other = f"{system.prefix}other-"
    asyncio.run(create_topics(system.cluster, prefix=other, partitions=1))
    monkeypatch.setenv("KDSL_PREFIX", other)
    for command in (
        ("sync",),
        ("activate", one, "--key", system.key),
        ("rollback", "--domain", "storefront", "--key", system.key),
    ):
        result = run(*command)
        assert isinstance(result.exception, RegistryConflict)
        assert f"prefix {system.prefix}, and this is Kafka cluster" in str(result.exception)
    assert asyncio.run(KafkaReleaseTopic(system.cluster, prefix=other).read(None)).in_force == {}
    bound = ran("registry", "rebind", "--by", "bob")
    assert f"prefix {other}; before: Kafka cluster " in bound
    assert "is published again" in ran("sync")
    assert "bound" in ran("history", "--audit")


def test_a_release_for_other_labels_is_told_to_have_no_workers_and_blocks_no_roll_back(
    system: System,
) -> None:
    one, two = put(system, 0.1), put(system, 0.2)
    for name in (one, two):
        ran("activate", name, "--key", system.key)
    content = make_content("gift card", domain="storefront", labels=(*LABELS, "gift_card"))
    with Registry.open(system.registry) as registry:
        signed = sign(content, load_key(system.key), "release")
        other = registry.add_release(signed, by="ann", at_ms=system_now_ms())
    own, others = system.domain.labels_digest[:12], other.labels_digest[:12]
    output = ran("activate", other.digest, "--key", system.key)
    assert f"warning: this release is for the labels {others}; workers of storefront" in output
    assert f"has the labels {own} go on with {two[7:19]} (sequence 2, by " in output

    now_ms = system_now_ms()
    tagger = WorkerStatus(
        worker="storefront-tagger-0",
        role="tagger",
        domain="storefront",
        version="1",
        at_ms=now_ms,
        interval_ms=3_600_000,
        labels_digest=system.domain.labels_digest,
        in_force=ReleaseInForce(digest=two, sequence=2, since_ms=now_ms),
    )
    say(system, tagger)
    result = run("status", "--expect-all")
    assert result.exit_code == 1
    assert f"labels {own}): run by 1 of 1 live worker" in result.output
    assert f"labels {others}): no live worker has these labels" in result.output
    assert f"start workers whose pack has the labels {others}" in result.output

    rollback = ("rollback", "--domain", "storefront", "--key", system.key)
    refused = run(*rollback, "--expect", other.digest)
    assert isinstance(refused.exception, ReleaseRefused)
    output = ran(*rollback, "--expect", two)
    assert f"from {two[7:19]} to {one[7:19]}, for the labels {own}" in output
    running = replace(tagger, in_force=ReleaseInForce(digest=one, sequence=3, since_ms=now_ms))
    say(system, running)
    assert run("status", "--expect-all").exit_code == 0
