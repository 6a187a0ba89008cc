"""Workers killed with SIGKILL in the middle of a stream lose nothing."""

from pathlib import Path

import pytest

from tests.faults.harness import STREAM_S, settle, strike
from tests.faults.source import Source
from tests.faults.stake import held_partitions
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]


def shared(system: System, first: str, second: str) -> bool:
    """Whether each of two workers says that it holds partitions, and none that the other does."""
    held = held_partitions(system, first), held_partitions(system, second)
    return all(held) and held[0].isdisjoint(held[1])


def test_nothing_is_lost_when_one_of_two_taggers_and_the_resolver_are_killed(
    system: System, small_bundle: Path
) -> None:
    for name in ("first", "second"):
        system.start("tagger", name=name, ready=False, restart=True)
    system.start("resolver", "--bundle", str(small_bundle), restart=True)
    system.until(lambda: system.health("first").get("ready") is True, "the first is ready")
    system.until(lambda: system.health("second").get("ready") is True, "the second is ready")
    system.until(lambda: shared(system, "first", "second"), "each holds a partition of its own")
    with Source(system) as source:
        source.flow(STREAM_S)
        strike(system, "first", system.processes.kill)
        strike(system, "resolver", system.processes.kill, role="resolver")
        source.flow(STREAM_S)
    report = settle(source, roles=("tagger", "resolver"))
    assert report.in_order, report
    assert report.dead_letters == 0
    assert system.processes.restarts("first") == system.processes.restarts("resolver") == 1
    assert system.processes.restarts("second") == 0
