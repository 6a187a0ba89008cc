"""A broker that is killed and comes back costs time, and nothing else."""

import time
from pathlib import Path

import pytest

from streams.local_broker import LocalBroker
from tests.faults.harness import STREAM_S, activate, settle, strike
from tests.faults.source import Source
from tests.system import System

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

AWAY_S = 5.0


def test_nothing_is_lost_when_the_broker_is_killed_and_comes_back(tmp_path: Path) -> None:
    with (
        LocalBroker(tmp_path / "kafka") as broker,
        System(kafka=broker, folder=tmp_path / "system") as system,
    ):
        activate(system)
        system.start("tagger", restart=True)
        with Source(system) as source:
            source.flow(STREAM_S)
            strike(system, "tagger", lambda _: broker.kill())
            time.sleep(AWAY_S)
            broker.start()
            source.flow(STREAM_S)
        report = settle(source)
    assert report.in_order, report
    assert report.dead_letters == 0
