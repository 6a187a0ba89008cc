"""A record that cannot be decided goes to the dead letters, and takes nothing with it."""

from pathlib import Path

import pytest

from tests.faults.harness import STREAM_S, settle, strike
from tests.faults.source import Source
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

FAILING = str(Path(__file__).parents[1] / "integration" / "failing_worker.py")


def test_poison_in_the_stream_is_dead_lettered_alone(system: System) -> None:
    system.start("tagger", program=(FAILING,))
    with Source(system) as source:
        source.flow(STREAM_S)

        def poison(_: str) -> None:
            for number in range(3):
                source.say("a defect of ours")
                system.send_raw("events", [(f"dialogue-{number}".encode(), b"\xc1")])

        strike(system, "tagger", poison)
        source.flow(STREAM_S)
    report = settle(source)
    assert report.in_order, report
    assert report.dead_letters == 6
    assert report.answered == report.asked - 3
    reasons = sorted(letter.reason for letter in system.dead_letters())
    assert reasons == ["failed"] * 3 + ["undecodable"] * 3
    assert system.processes.alive("tagger")
