"""A worker whose rights are taken away while it works ends, and loses nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from streams.preflight import NEEDS
from streams.topics import group_name, topic_name
from tests.faults.harness import STREAM_S, activate, settle, strike
from tests.faults.source import Source
from tests.secure_broker import May, SecureBroker
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

ENDS_WITHIN_S = 30.0


@pytest.fixture
def system(secure_kafka: SecureBroker, tmp_path: Path) -> Iterator[System]:
    """We reach the cluster as `admin`; workers as `worker`, with just what a tagger needs."""
    with System(
        kafka=secure_kafka.node,
        reached=secure_kafka.cluster("admin"),
        # Faust hangs when it stops without its right: what matters is that the process ends.
        environment={**secure_kafka.environment("worker"), "KDSL_STOP_WITHIN_S": "3"},
        folder=tmp_path,
    ) as system:
        secure_kafka.allow("worker", **reading(system, "group"))
        for kind in NEEDS["tagger"].reads:
            topic = topic_name(kind, prefix=system.prefix)
            secure_kafka.allow("worker", topic=topic, operation="read")
        for kind in NEEDS["tagger"].writes:
            topic = topic_name(kind, prefix=system.prefix)
            secure_kafka.allow("worker", topic=topic, operation="write")
        activate(system)
        yield system


def reading(system: System, what: Literal["topic", "group"]) -> May:
    """The right to read events, or to be of the group that shares them."""
    if what == "topic":
        return May(topic=topic_name("events", prefix=system.prefix), operation="read")
    group = group_name(system.domain.name, "tagger", prefix=system.prefix)
    return May(group=group, operation="read")


@pytest.mark.parametrize("what", ["topic", "group"])
def test_a_tagger_that_may_no_longer_read_ends_and_the_next_one_misses_nothing(
    what: Literal["topic", "group"], system: System, secure_kafka: SecureBroker
) -> None:
    right = reading(system, what)
    system.start("tagger")
    with Source(system) as source:
        source.flow(STREAM_S)
        strike(system, "tagger", lambda _: secure_kafka.withdraw("worker", **right))
        status = system.processes.wait("tagger", ENDS_WITHIN_S)
        assert status is not None, "it stays alive and silent"
        assert status != 0
        secure_kafka.allow("worker", **right)
        system.start("tagger", ready=False)
        source.flow(STREAM_S)
    report = settle(source)
    assert report.in_order, report
    assert report.dead_letters == 0
