"""Slow is no stall, however much is queued; a decision that never ends is one."""

import math
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from streams.codec import encode_event
from streams.events import DialogueEvent, Turn
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

SLOW = str(Path(__file__).with_name("slow_worker.py"))
STALL_AFTER_S = 2.0
QUEUED = 300
# All of one dialogue, so of one partition: the first 256 are one frame, of 7.7 s.
DECISION_S = 0.03


def send(system: System, count: int) -> list[DialogueEvent]:
    events = [
        DialogueEvent(
            domain=system.domain.name,
            event_id=f"event-{number}",
            dialogue_id="dialogue",
            sent_at_ms=number + 1,
            first_turn_index=number,
            turns=(Turn(speaker="user", text="where is my order?"),),
        )
        for number in range(count)
    ]
    system.send_raw("events", [(b"dialogue", encode_event(event)) for event in events])
    return events


def start(system: System, *, decision_s: float, ready: bool = True) -> None:
    system.environment |= {
        "KDSL_STALL_AFTER_S": f"{STALL_AFTER_S:g}",
        "KDSL_REBALANCE_TIMEOUT_S": f"{STALL_AFTER_S / 2:g}",
        "KDSL_TEST_DECISION_S": f"{decision_s:g}",
        "KDSL_INSTANCE": "slot",
    }
    system.start("tagger", program=(SLOW,), ready=ready)


def ready_status(system: System) -> int:
    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://127.0.0.1:{system.ports['tagger']}/ready", timeout=10)
    refused.value.close()
    return refused.value.code


def test_a_long_queue_of_slow_decisions_is_no_stall(system: System) -> None:
    start(system, decision_s=DECISION_S)
    events = send(system, QUEUED)
    obstacles: dict[str, str] = {}

    def look() -> bool:
        obstacles.update(system.health("tagger").get("obstacles", {}))
        return system.lag("tagger") == 0

    assert not look()
    system.until(look, "all is committed")
    assert obstacles == {}
    assert system.accounts((event, None) for event in events).missing == ()


def test_a_decision_that_never_ends_is_a_stall(system: System) -> None:
    start(system, decision_s=math.inf)
    events = send(system, 1)
    system.until(lambda: "stall" in system.health("tagger").get("obstacles", ()), "it is seen")
    assert ready_status(system) == 503
    assert system.metric("tagger", "kdsl_stalled") == 1
    assert system.processes.alive("tagger"), "it waits for someone to look"
    system.processes.kill("tagger")

    system.environment["KDSL_EXIT_ON_STALL"] = "true"
    start(system, decision_s=math.inf, ready=False)
    system.until(lambda: not system.processes.alive("tagger"), "it ends by itself")
    assert system.processes.status("tagger") == 1

    start(system, decision_s=0)
    system.until(lambda: system.lag("tagger") == 0, "the next one decides")
    assert system.accounts((event, None) for event in events).missing == ()
