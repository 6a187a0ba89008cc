"""The harness proves itself: a worker that acknowledges before delivery is found out."""

from pathlib import Path

import pytest

from tests.faults.harness import STREAM_S, settle, strike
from tests.faults.source import Source
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

EARLY_ACK = str(Path(__file__).with_name("early_ack_worker.py"))


def test_losses_of_a_worker_that_acknowledges_before_delivery_are_reported(system: System) -> None:
    system.environment["KDSL_INSTANCE"] = "slot"  # spares the wait for the dead one's session
    with Source(system) as source:
        source.flow(STREAM_S)
        system.start("tagger", program=(EARLY_ACK,))
        system.until(lambda: len(system.records("events")) > system.lag("tagger"), "it commits")
        strike(system, "tagger", system.processes.kill)
        system.start("tagger", ready=False)  # an honest one takes over
        source.flow(STREAM_S)
    print("what is missing now is meant to be: this worker loses, and must be found out")
    report = settle(source)
    assert not report.in_order
    assert len(report.missing) > 0
    assert report.answered == report.asked - len(report.missing)
