"""Workers that are told to stop, come and go in the middle of a stream lose nothing."""

import signal

import pytest

from tests.faults.harness import STREAM_S, settle, strike
from tests.faults.source import Source
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

STOPS_WITHIN_S = 10.0


def terminate(system: System, name: str) -> None:
    """Stop a worker at work; it ends cleanly and soon."""
    strike(system, name, lambda name: system.processes.send(name, signal.SIGTERM))
    assert system.processes.wait(name, STOPS_WITHIN_S) == 0


def test_a_tagger_told_to_stop_ends_soon_and_the_next_one_goes_on(system: System) -> None:
    system.start("tagger")
    with Source(system) as source:
        source.flow(STREAM_S)
        terminate(system, "tagger")
        system.start("tagger", ready=False)
        source.flow(STREAM_S)
    report = settle(source)
    assert report.in_order, report
    assert report.dead_letters == 0


def test_nothing_is_lost_when_a_tagger_joins_and_another_leaves(system: System) -> None:
    system.start("tagger", name="first")
    with Source(system) as source:
        source.flow(STREAM_S)
        system.start("tagger", name="second")
        system.until(lambda: system.metric("second", "kdsl_tags_total") > 0, "the second works")
        source.flow(STREAM_S)
        terminate(system, "first")
        source.flow(STREAM_S)
    report = settle(source)
    assert report.in_order, report
    assert report.dead_letters == 0
