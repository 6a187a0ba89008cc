"""Strikes real workers while a steady stream flows, and holds what came out against what went in.

with Source(system) as source:
    source.flow(STREAM_S)
    strike(system, "tagger", system.processes.kill)
    source.flow(STREAM_S)
report = settle(source, roles=("tagger",))
"""

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial

from rule_store import canonical_bytes
from streams.building import build_release, pack_rules
from streams.role import system_now_ms
from streams.settings import RoleName
from tests.faults.source import Source
from tests.faults.stake import held_partitions, unanswered
from tests.faults.verify import Outputs, Report, verify
from tests.system import System

# How long the stream flows before and after each fault; more finds what is rare.
STREAM_S = float(os.environ.get("KDSL_TEST_STREAM_S") or 1.5)
# A worker that died unseen holds its partitions until its session ends, and then there is a
# rebalance; a stream that flowed for long takes its time to be worked off.
_SETTLED_WITHIN_S = 90.0 + STREAM_S


def strike(
    system: System, name: str, blow: Callable[[str], object], *, role: RoleName = "tagger"
) -> None:
    """Let a blow fall on a worker that has records in hand, while no output of theirs stands.

    It is held still and looked at from outside, so that what is seen is what the blow meets; when
    nothing is in flight, it goes on until another look finds something.
    """
    system.until(partial(_held_at_work, system, name, role), f"work is in flight: {name}")
    try:
        blow(name)
    finally:
        system.processes.send(name, signal.SIGCONT)


def _held_at_work(system: System, name: str, role: RoleName) -> bool:
    """Stop a worker in its tracks, and leave it so when work on its partitions is in flight."""
    looked_ms = system_now_ms()  # what is as old has been fetched when the worker is stopped
    partitions = held_partitions(system, name)
    if not partitions or system.metric(name, "kdsl_in_flight") == 0:
        return False
    os.kill(system.processes.pid(name), signal.SIGSTOP)
    in_flight = 0
    try:
        in_flight = unanswered(system, role, partitions, before_ms=looked_ms)
    finally:
        if not in_flight:
            system.processes.send(name, signal.SIGCONT)
    print(f"{name} is held still with {in_flight} questions of its partitions not answered")
    return in_flight > 0


def settle(source: Source, *, roles: Sequence[RoleName] = ("tagger",)) -> Report:
    """Wait until every group has committed its log to the end; say what became of the stream."""
    system = source.system
    for role in roles:
        all_committed = partial(_all_committed, system, role)
        system.until(all_committed, f"all is committed: {role}", within_s=_SETTLED_WITHIN_S)
    report = verify(
        source.sent,
        Outputs(
            tags=system.records("tags"),
            deferred=system.records("deferred"),
            dead_letters=system.records("dead_letters"),
        ),
        domain=system.domain,
        uncommitted=sum(system.lag(role) for role in roles),
        resolving="resolver" in roles,
    )
    print(report)
    return report


def _all_committed(system: System, role: RoleName) -> bool:
    return system.lag(role) == 0


def activate(system: System) -> None:
    """Put the release in force that is made of the pack's own rules."""
    system.activate(canonical_bytes(build_release(system.domain, pack_rules(system.domain))))
