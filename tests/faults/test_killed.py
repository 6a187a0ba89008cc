"""Workers killed with SIGKILL in the middle of a stream lose nothing."""

from pathlib import Path

import pytest

from streams.local_broker import LocalBroker
from tests.faults.harness import STREAM_S, activate, settle, strike
from tests.faults.source import Source
from tests.faults.stake import held_partitions
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

INTERVAL_S = 2.0


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


def test_a_worker_in_reserve_is_ready_and_takes_over_however_long_it_has_fetched_nothing(
    kafka: LocalBroker, tmp_path: Path
) -> None:
    """By its own interval the client would have left the group, never to join it again."""
    names = ("first", "second")
    with System(kafka=kafka, folder=tmp_path, partitions=1) as system:
        activate(system)
        system.environment |= {
            "KDSL_FAUST_BROKER_MAX_POLL_INTERVAL": f"{INTERVAL_S:g}",
            "KDSL_SESSION_TIMEOUT_S": "6",  # the least a broker takes; the kill costs so much
            "KDSL_HEARTBEAT_S": "2",
        }
        for name in names:
            system.start("tagger", name=name)

        def holders() -> list[str]:
            return [name for name in names if held_partitions(system, name)]

        def one_in_reserve() -> bool:
            return len(holders()) == 1 and all(system.health(name).get("ready") for name in names)

        system.until(one_in_reserve, "both are ready, and one of them holds nothing")
        with Source(system) as source:
            source.flow(STREAM_S + 2 * INTERVAL_S)
            (holder,) = holders()
            strike(system, holder, system.processes.kill)
            source.flow(STREAM_S)
        report = settle(source)
    assert report.in_order, report
