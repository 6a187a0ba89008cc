"""`kdsl refresh` on a real Kafka: workers that run take over what was learned."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from rule_store import canonical_bytes, load_key
from rule_store.registry import RefreshRow, Registry
from streams.building import build_release, pack_rules
from streams.codec import encode_event
from streams.events import DialogueEvent, Turn
from streams.local_broker import LocalBroker
from streams.resources import quickstart_folder
from tests.commands import kdsl
from tests.factories import NOW_MS
from tests.integration import refresh_killer
from tests.system import System

CHECKOUT = Path(__file__).parents[2]
# No rule of the pack knows it; the sample has dialogues like it, whose label is *other*.
QUESTION = "i'd like to sell my pottery through your site"


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    with System(kafka=kafka, folder=tmp_path) as system:
        yield system


def run(system: System, *arguments: object) -> CompletedProcess[str]:
    return kdsl(
        *arguments,
        KDSL_BOOTSTRAP=system.bootstrap,
        KDSL_PREFIX=system.prefix,
        KDSL_REGISTRY=str(system.registry),
    )


def ask(system: System, event_id: str) -> None:
    event = DialogueEvent(
        domain="storefront",
        event_id=event_id,
        dialogue_id=f"dialogue-of-{event_id}",
        sent_at_ms=NOW_MS,
        turns=(Turn(speaker="user", text=QUESTION),),
    )
    system.send_raw("events", [(event.dialogue_id.encode(), encode_event(event))])


def in_force(system: System) -> str:
    with Registry.open(system.registry) as registry:
        active = registry.active(system.domain.name, system.domain.labels_digest)
        assert active is not None
        return active.digest


@pytest.mark.kafka
def test_a_running_tagger_takes_the_refreshed_release_over_and_answers_what_it_deferred(
    system: System,
) -> None:
    pack = system.activate(canonical_bytes(build_release(system.domain, pack_rules(system.domain))))
    system.start("tagger")
    pid = system.processes.pid("tagger")
    ask(system, "before")
    system.until(lambda: len(system.records("deferred")) == 1, "no rule knows it: deferred")
    assert system.tags() == []

    added = run(system, "examples", "add", quickstart_folder() / "train.jsonl")
    assert added.returncode == 0, added.stderr
    refreshed = run(system, "refresh", "--key", system.key, "--by", "cron")
    assert refreshed.returncode == 0, refreshed.stderr
    assert "is active for storefront" in refreshed.stderr
    mined = in_force(system)
    assert mined != pack

    system.until(lambda: answered(system, mined), "the refreshed release answers")
    tag = system.tags()[-1]
    assert (tag.label, tag.source) == ("other", "rules")
    assert system.processes.pid("tagger") == pid
    assert system.processes.alive("tagger")

    published = len(system.records("releases"))
    again = run(system, "refresh", "--key", system.key, "--by", "cron")
    assert again.returncode == 0, again.stderr
    assert "nothing to do for storefront" in again.stderr
    assert len(system.records("releases")) == published
    trail = run(system, "release", "history", "--audit").stdout
    assert "refreshed" in trail


def answered(system: System, release: str) -> bool:
    ask(system, "after")
    return any(tag.release == release for tag in system.tags())


@pytest.mark.kafka
@pytest.mark.parametrize("moment", refresh_killer.MOMENTS)
def test_killed_at_any_moment_the_next_run_ends_where_it_would_have(
    system: System, moment: str
) -> None:
    kill(system, moment, lesson="first")
    topic = refresh_killer.FatalTopic(system.cluster, prefix=system.prefix)
    row = refresh_killer.refresh("never", system.folder, load_key(system.key), topic)
    decided = moment in ("decided", "half published", "published")
    assert row.outcome == ("unchanged" if decided else "activated")
    with Registry.open(system.registry) as registry:
        (release,) = registry.releases()
        (activation,) = registry.history(release.domain)
        assert registry.verify_audit()
    assert activation.published_at_ms is not None
    assert activation.activation.digest == release.digest == row.release
    assert set(keys(system)) == {"release", "active"}
    assert keys(system)[-1] == "active"

    before = keys(system)
    again = refresh_killer.refresh("never", system.folder, load_key(system.key), topic)
    assert (again.outcome, keys(system)) == ("unchanged", before)


def kill(system: System, moment: str, *, lesson: str) -> None:
    """Run a refresh until it is killed at a moment."""
    program = [sys.executable, "-m", "tests.integration.refresh_killer", moment, lesson]
    places = [str(system.folder), str(system.key), system.bootstrap, system.prefix]
    killed = subprocess.run([*program, *places], cwd=CHECKOUT, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL


@pytest.mark.kafka
@pytest.mark.parametrize("moment", ["decided", "published"])
def test_what_a_killed_run_has_activated_makes_room_when_its_examples_are_taken_back(
    system: System, moment: str
) -> None:
    topic = refresh_killer.FatalTopic(system.cluster, prefix=system.prefix)
    key = load_key(system.key)

    def refresh(lesson: str) -> RefreshRow:
        return refresh_killer.refresh("never", system.folder, key, topic, lesson=lesson)

    first = refresh("first")
    kill(system, moment, lesson="wider")
    wider = refresh("wider")
    assert (wider.outcome, wider.release != first.release) == ("unchanged", True)
    back = refresh("first")
    assert (back.outcome, back.release) == ("activated", first.release)


def keys(system: System) -> list[str]:
    """Of what stands in the topic, in its order."""
    return [(record.key or b"").decode().partition("/")[0] for record in system.records("releases")]


def test_of_two_processes_one_works_and_after_a_kill_the_next_goes_on(tmp_path: Path) -> None:
    arguments = ["refresh", "--stage", "--registry", str(tmp_path / "registry.db")]
    arguments += ["--examples", str(quickstart_folder() / "train.jsonl")]
    first = subprocess.Popen([sys.executable, "-m", "streams.cli", *arguments], cwd=tmp_path)
    try:
        wait_for(tmp_path / "registry-refresh", "*/*/.checkpoint/*.json")
        first.send_signal(signal.SIGSTOP)
        second = kdsl(*arguments)
        assert second.returncode == 4, second.stderr
        assert "another refresh of storefront runs" in second.stderr
    finally:
        first.kill()
        first.wait()
    third = kdsl(*arguments)
    assert third.returncode == 0, third.stderr
    with Registry.open(tmp_path / "registry.db") as registry:
        (row,) = registry.releases()
        assert registry.verify_audit() == 2
    assert row.digest[7:19] in third.stderr


def wait_for(folder: Path, pattern: str) -> Path:
    """The first file below a folder that fits."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for found in folder.glob(pattern):
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {pattern} in {folder}")
