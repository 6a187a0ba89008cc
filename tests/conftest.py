"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest

from streams.local_broker import LocalBroker


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A real Kafka, one for the whole session; tests keep apart by topic names and groups."""
    with LocalBroker(tmp_path_factory.mktemp("kafka"), heap_mb=256) as broker:
        yield broker
