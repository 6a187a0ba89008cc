"""The records of the benchmark."""

import msgpack
import pytest

from streams.bench.load import DIALOGUES, events


@pytest.mark.parametrize("value_bytes", [130, 1000])
def test_events_are_about_as_large_as_asked_for(value_bytes: int) -> None:
    sizes = [len(value) for _, value in events(20_000, value_bytes)]
    assert sum(sizes) / len(sizes) == pytest.approx(value_bytes, rel=0.05)


def test_events_are_numbered_and_keyed_by_their_dialogue() -> None:
    made = list(events(DIALOGUES + 1, 130))
    assert [msgpack.unpackb(value)["id"] for _, value in made] == list(range(DIALOGUES + 1))
    assert made[0][0] == made[DIALOGUES][0] == b"0"
    assert len({key for key, _ in made}) == DIALOGUES


def test_events_are_always_the_same() -> None:
    assert list(events(100, 130)) == list(events(100, 130))
