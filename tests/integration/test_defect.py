"""When our own code fails on too many valid records, the worker stops taking them."""

import subprocess
import sys
from pathlib import Path

import pytest

from rule_store import canonical_bytes
from streams.building import build_release, pack_rules
from streams.codec import encode_event
from streams.events import DialogueEvent, Turn
from streams.local_broker import LocalBroker
from tests.system import System

pytestmark = pytest.mark.kafka

VALID = 400
EVERY_THIRD_FAILS = 3


def test_a_defective_tagger_pauses_unready_and_after_the_fix_nothing_is_missing(
    kafka: LocalBroker, tmp_path: Path
) -> None:
    with System(kafka=kafka, folder=tmp_path, partitions=1) as system:
        system.activate(canonical_bytes(build_release(system.domain, pack_rules(system.domain))))
        program = str(Path(__file__).with_name("failing_worker.py"))
        system.start("tagger", program=(program,))
        events = [event(number) for number in range(VALID)]
        # Garbage is not ours to answer for: it never makes a worker pause.
        garbage = [(b"d", b"garbage")] * VALID
        system.send_raw("events", garbage)
        system.send_raw("events", [(b"d", encode_event(each)) for each in events])
        system.until(lambda: "failures" in system.health("tagger")["obstacles"], "it pauses")

        assert (
            "34 of the last 100 valid records" in system.health("tagger")["obstacles"]["failures"]
        )
        assert "redrive" in system.health("tagger")["obstacles"]["failures"]
        assert system.processes.alive("tagger")
        failed = [letter for letter in system.dead_letters() if letter.reason == "failed"]
        assert len(failed) == 34  # numbers 0, 3, …, 99 of the first hundred valid ones
        assert len(system.tags()) == 66
        assert system.lag("tagger") >= VALID - 100

        system.processes.stop("tagger")
        system.start("tagger")
        system.until(lambda: system.lag("tagger") == 0, "the mended one takes the rest")
        assert len(system.accounts((each, None) for each in events).missing) == 0
        before = {tag.event_id for tag in system.tags()}
        assert len(before) == VALID - 34

        said = kdsl(system, "dead-letters", "redrive", "--reason", "failed")
        assert "sent 34 originals" in said
        system.until(lambda: system.lag("tagger") == 0, "the redriven ones are decided")
        assert {tag.event_id for tag in system.tags()} == {each.event_id for each in events}


def event(number: int) -> DialogueEvent:
    defect = " defect" if number % EVERY_THIRD_FAILS == 0 else ""
    return DialogueEvent(
        domain="storefront",
        event_id=f"event-{number}",
        dialogue_id="d",
        sent_at_ms=1,
        turns=(Turn(speaker="user", text=f"where is my order?{defect}"),),
    )


def kdsl(system: System, *arguments: str) -> str:
    """What `kdsl` says on standard error."""
    there = ["--bootstrap", system.bootstrap, "--prefix", system.prefix]
    finished = subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments, *there],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return finished.stderr
