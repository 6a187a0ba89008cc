"""What workers say of themselves on a real Kafka, and bad releases among good ones under load."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from rule_store import (
    Activation,
    Release,
    activation_to_bytes,
    canonical_bytes,
    digest,
    labels_digest,
    load_key,
    new_key,
    release_key,
    sign,
    signed_to_bytes,
    topic_key,
)
from streams.building import build_release, pack_rules
from streams.codec import decode_deferred, encode_event
from streams.events import DialogueEvent, Turn
from streams.local_broker import LocalBroker
from streams.topics import topic_name
from tests.commands import kdsl
from tests.system import System

pytestmark = pytest.mark.kafka


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    environment = {"KDSL_STATUS_EVERY_S": "1", "KDSL_INSTANCE": "pod-0"}
    with System(kafka=kafka, folder=tmp_path, environment=environment) as system:
        yield system


def release_of(system: System, *, answer_at: float | None = None) -> Release:
    release = build_release(system.domain, pack_rules(system.domain))
    if answer_at is None:
        return release
    tasks = {name: replace(task, answer_at=answer_at) for name, task in release.tasks.items()}
    return replace(release, tasks=tasks)


def release_for_other_labels(system: System) -> Release:
    release = release_of(system)
    tasks = {
        name: replace(task, labels=(*task.labels, "another"))
        for name, task in release.tasks.items()
    }
    labels = {name: task.labels for name, task in tasks.items()}
    return replace(release, tasks=tasks, labels_digest=labels_digest(labels))


def point_at(system: System, content: bytes, *, sequence: int, key: Path | None = None) -> str:
    """Publish bytes as a release and point the workers of our labels at them, whatever they are."""
    signer, name = load_key(key or system.key), digest(content)
    activation = Activation(
        domain=system.domain.name,
        labels_digest=system.domain.labels_digest,
        digest=name,
        shadow=None,
        sequence=sequence,
        by="test",
        at_ms=0,
    )
    envelope = sign(activation_to_bytes(activation), signer, "activation")
    release = sign(content, signer, "release")
    system.send_raw("releases", [(release_key(name).encode(), signed_to_bytes(release))])
    system.send_raw("releases", [(topic_key(activation).encode(), signed_to_bytes(envelope))])
    return name


def run_status(system: System, *options: str) -> "subprocess.CompletedProcess[str]":
    arguments = ["--bootstrap", system.bootstrap, "--prefix", system.prefix, *options]
    return kdsl("release", "status", *arguments, COLUMNS="160")


def statuses(system: System, *options: str) -> dict[str, dict[str, Any]]:
    """Role → what `kdsl release status --json` says of the worker."""
    finished = run_status(system, "--json", *options)
    assert finished.returncode == 0, finished.stderr
    return {worker["role"]: worker for worker in json.loads(finished.stdout)["workers"]}


class Load:
    """Dialogues sent without a pause until the block ends; some the rules answer, some not."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._ends = threading.Event()
        self.sent: list[DialogueEvent] = []

    def _send(self) -> None:
        while not self._ends.is_set():
            first = len(self.sent)
            events = [dialogue(number) for number in range(first, first + 50)]
            self._system.send_raw(
                "events", [(event.dialogue_id.encode(), encode_event(event)) for event in events]
            )
            self.sent += events

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._send)
        thread.start()
        try:
            yield
        finally:
            self._ends.set()
            thread.join()


def dialogue(number: int) -> DialogueEvent:
    return DialogueEvent(
        domain="storefront",
        event_id=f"e{number}",
        dialogue_id=f"d{number}",
        sent_at_ms=1_800_000_000_000,
        turns=(Turn(speaker="user", text="hm" if number % 5 == 0 else "where is my order?"),),
    )


def refused(system: System, count: int, why: str) -> None:
    """Wait until so many releases are refused, and the status tells why the last one is."""
    system.until(
        lambda: system.metric("tagger", "kdsl_releases_refused_total") == count,
        f"{count} releases are refused",
    )

    def told() -> bool:
        refusal = statuses(system)["tagger"]["refusal"]
        return refusal is not None and why in refusal["why"]

    system.until(told, f"its status tells: {why}")


def test_bad_releases_under_load_leave_the_old_one_and_a_good_one_is_taken_over(
    system: System, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.key"
    new_key(stranger)
    first = system.activate(canonical_bytes(release_of(system)))
    system.start("tagger")
    load = Load(system)
    with load.running():
        system.until(lambda: len(system.tags()) > 0, "it is at work")
        second_content = canonical_bytes(release_of(system, answer_at=0.5))
        bad = [
            (b"\xc1 garbage", None, "is not the JSON expected"),
            (second_content, stranger, "trust store does not know"),
            (canonical_bytes(release_for_other_labels(system)), None, "built for other labels"),
        ]
        for number, (content, key, why) in enumerate(bad, start=1):
            name = point_at(system, content, sequence=1 + number, key=key)
            refused(system, number, why)
            worker = statuses(system)["tagger"]
            # Of an activation that nobody trusted nothing was read.
            assert worker["refusal"]["digest"] == (None if key else name)
            assert (worker["in_force"]["digest"], worker["in_force"]["sequence"]) == (first, 1)
        assert system.tags()[-1].release == first
        second = system.activate(second_content)
        system.until(
            lambda: statuses(system)["tagger"]["in_force"]["digest"] == second, "it is taken over"
        )
        before = len(load.sent)
        system.until(lambda: len(load.sent) > before + 50, "more came under the new one")
    system.until(lambda: system.lag("tagger") == 0, "all is decided")
    tags = system.tags()
    deferred = [decode_deferred(record.value or b"") for record in system.records("deferred")]
    assert len(tags) + len(deferred) == len(load.sent)
    assert {tag.event_id for tag in tags} | {
        dialogue_id.replace("d", "e")
        for dialogue_id in ((record.key or b"").decode() for record in system.records("deferred"))
    } == {event.event_id for event in load.sent}
    assert {tag.release for tag in tags} == {first, second}
    assert {each.release for each in deferred} <= {first, second}
    assert system.dead_letters() == []
    assert system.metric("tagger", "kdsl_releases_refused_total") == len(bad)


def test_status_tells_live_workers_from_gone_ones_and_who_runs_another_release(
    system: System,
) -> None:
    first = system.activate(canonical_bytes(release_of(system)))
    system.start("tagger")
    system.start("alerter")
    system.until(lambda: set(statuses(system)) == {"tagger", "alerter"}, "both are heard")
    system.until(lambda: all(each["ready"] for each in statuses(system).values()), "both ready")
    tagger, alerter = (statuses(system)[role] for role in ("tagger", "alerter"))
    assert tagger["worker"] == "storefront-tagger-pod-0"
    assert (tagger["in_force"]["digest"], tagger["active"]) == (first, first)
    assert (tagger["lag"], tagger["differs"], alerter["differs"]) == (0, False, False)
    assert run_status(system, "--expect-all").returncode == 0

    wanted = point_at(system, b"no release", sequence=2)
    refused(system, 1, "is not the JSON expected")
    finished = run_status(system, "--expect-all")
    assert finished.returncode == 1
    assert "storefront-tagger-pod-0" in finished.stderr
    assert wanted in finished.stderr
    assert "run by 0 of 1 live worker" in finished.stderr
    assert "storefront-tagger-pod-0: refused " in finished.stdout

    system.processes.stop("alerter")
    assert system.processes.status("alerter") == 0
    assert set(statuses(system)) == {"tagger"}
    gone = statuses(system, "--all")["alerter"]
    assert (gone["gone"], gone["stopped"]) == (True, True)

    system.processes.kill("tagger")
    system.until(lambda: statuses(system) == {}, "it is silent for too long")
    killed = statuses(system, "--all")["tagger"]
    assert (killed["gone"], killed["stopped"]) == (True, False)
    finished = run_status(system, "--expect-all")
    assert finished.returncode == 1, "a gate must not pass when every worker is dead"
    assert "no worker is live" in finished.stderr
    assert finished.stdout == "", "no table without rows"


def test_a_worker_whose_status_nobody_takes_works_on_and_stops_cleanly(system: System) -> None:
    system.activate(canonical_bytes(release_of(system)))
    system.start("tagger")
    admin = AdminClient({"bootstrap.servers": system.bootstrap})
    topic = topic_name("status", prefix=system.prefix)
    admin.delete_topics([topic])[topic].result(timeout=20)
    system.until(lambda: system.metric("tagger", "kdsl_status_failures_total") >= 2, "it tries on")
    events = [dialogue(number) for number in range(1, 4)]
    system.send_raw(
        "events", [(event.dialogue_id.encode(), encode_event(event)) for event in events]
    )
    system.until(lambda: len(system.tags()) == len(events), "it works on")
    assert system.health("tagger")["ready"] is True
    system.processes.stop("tagger")
    assert system.processes.status("tagger") == 0


def test_a_worker_does_not_start_where_it_cannot_say_how_it_is(system: System) -> None:
    admin = AdminClient({"bootstrap.servers": system.bootstrap})
    topic = topic_name("status", prefix=system.prefix)
    admin.delete_topics([topic])[topic].result(timeout=20)
    system.start("alerter", ready=False)
    assert system.processes.wait("alerter", timeout_s=60) == 1
    assert f"no topic {topic}" in system.processes.log_tail("alerter")
