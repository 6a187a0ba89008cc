"""Workers killed with SIGKILL in the middle of a stream lose nothing."""

import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from rule_store import canonical_bytes
from streams.building import build_release, pack_rules
from streams.codec import decode_deferred, decode_event, encode_event
from streams.datasets import Example, read_examples
from streams.events import DialogueEvent, Turn
from streams.local_broker import LocalBroker
from streams.resources import quickstart_folder
from streams.settings import RoleName
from tests.system import System

pytestmark = pytest.mark.kafka

ROLES_KILLED: tuple[RoleName, ...] = ("tagger", "resolver")


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    with System(kafka=kafka, folder=tmp_path) as system:
        system.activate(canonical_bytes(build_release(system.domain, pack_rules(system.domain))))
        yield system


def text_examples(until: threading.Event, made: list[Example]) -> Iterator[Example]:
    """Sample dialogues without screenshots, again and again under new ids, until told to end."""
    live = quickstart_folder() / "live.jsonl"
    texts = [
        example
        for example in read_examples(live, domain="storefront", view="live", now_ms=1)
        if not any(turn.images for turn in example.event.turns)
    ]
    while not until.is_set():
        number = len(made)
        event = DialogueEvent(
            domain="storefront",
            event_id=f"event-{number}",
            dialogue_id=f"dialogue-{number % 50}",
            sent_at_ms=number + 1,
            turns=texts[number % len(texts)].event.turns,
            tasks=("intent",),
        )
        made.append(Example(event=event, label=None, place=f"made:{number}"))
        yield made[-1]


def test_nothing_is_missing_after_tagger_and_resolver_are_killed_in_a_steady_stream(
    system: System, bundle: Path
) -> None:
    system.start("tagger", restart=True)
    system.start("resolver", "--bundle", str(bundle), restart=True)
    enough = threading.Event()
    sent: list[Example] = []
    source = threading.Thread(
        target=system.send, args=(text_examples(enough, sent),), kwargs={"rate": 300.0}
    )
    source.start()
    try:
        for role in ROLES_KILLED:
            time.sleep(1.5)
            system.until(partial(in_flight, system, role), f"work is in flight: {role}")
            system.processes.kill(role)
            assert system.lag(role) > 0, "what was in flight is not committed"
        time.sleep(1.5)
    finally:
        enough.set()
        source.join()
    for role in ROLES_KILLED:
        system.until(partial(all_committed, system, role), f"all is committed: {role}")
        assert system.processes.restarts(role) == 1
    accounts = system.accounts((example.event, None) for example in sent)
    assert accounts.asked == len(sent) > 1000
    assert accounts.missing == ()
    assert accounts.summary().dead_letters == 0


def test_nothing_is_missing_when_a_tagger_joins_and_another_leaves(system: System) -> None:
    system.start("tagger", name="first")
    enough = threading.Event()
    sent: list[Example] = []
    source = threading.Thread(
        target=system.send, args=(text_examples(enough, sent),), kwargs={"rate": 300.0}
    )
    source.start()
    try:
        time.sleep(1.5)
        system.start("tagger", name="second")
        system.until(lambda: system.metric("second", "kdsl_tags_total") > 0, "the second works")
        system.processes.stop("first")
        assert system.processes.status("first") == 0
        time.sleep(1.5)
    finally:
        enough.set()
        source.join()
    system.until(partial(all_committed, system, "tagger"), "all is committed")
    decided = {tag.event_id for tag in system.tags()}
    decided |= {
        decode_event(decode_deferred(record.value or b"").record).event_id
        for record in system.records("deferred")
    }
    assert decided == {example.event.event_id for example in sent}


def test_nothing_is_missing_after_the_broker_is_killed_and_comes_back(tmp_path: Path) -> None:
    with (
        LocalBroker(tmp_path / "kafka") as broker,
        System(kafka=broker, folder=tmp_path / "system") as system,
    ):
        system.activate(canonical_bytes(build_release(system.domain, pack_rules(system.domain))))
        system.start("tagger", restart=True)
        enough = threading.Event()
        sent: list[Example] = []
        source = threading.Thread(
            target=system.send, args=(text_examples(enough, sent),), kwargs={"rate": 300.0}
        )
        source.start()
        try:
            system.until(lambda: len(sent) > 500, "the stream is steady")
            before = len(sent)
            broker.kill()
            time.sleep(5)
            broker.start()
            system.until(lambda: len(sent) > before + 500, "the stream goes on")
        finally:
            enough.set()
            source.join()
        system.until(partial(all_committed, system, "tagger"), "all is committed", within_s=120)
        decided = {tag.event_id for tag in system.tags()}
        decided |= {
            decode_event(decode_deferred(record.value or b"").record).event_id
            for record in system.records("deferred")
        }
        assert decided == {example.event.event_id for example in sent}
        assert system.dead_letters() == []


def all_committed(system: System, role: RoleName) -> bool:
    return system.lag(role) == 0


def in_flight(system: System, name: str) -> bool:
    return system.metric(name, "kdsl_in_flight") > 0


@pytest.mark.parametrize("order", ["first", "last"])
def test_the_kill_finds_a_worker_that_acknowledges_before_delivery(
    system: System, order: str
) -> None:
    """The same kill, at a worker that pauses before delivery: only ack-first may lose."""
    program = str(Path(__file__).with_name("paused_worker.py"))
    os.environ["KDSL_TEST_ACK"] = order
    try:
        system.start("tagger", program=(program,))
    finally:
        del os.environ["KDSL_TEST_ACK"]
    events = [
        DialogueEvent(
            domain="storefront",
            event_id=f"e{number}",
            dialogue_id="d",
            sent_at_ms=1,
            turns=(Turn(speaker="user", text="where is my order?"),),
        )
        for number in range(20)
    ]
    system.send_raw("events", [(b"d", encode_event(event)) for event in events])
    system.until(lambda: in_flight(system, "tagger"), "work is in flight")
    time.sleep(1.5)  # past the commit interval, before the pause ends
    system.processes.kill("tagger")

    system.start("tagger")  # an honest one takes over
    system.until(lambda: system.lag("tagger") == 0, "all is committed")
    missing = system.accounts((event, None) for event in events).missing
    if order == "first":
        assert missing
    else:
        assert not missing
