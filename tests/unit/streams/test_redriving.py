"""The original of a dead letter goes back where it came from, one attempt older."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from streams.errors import InvalidRecord
from streams.records import Record, dead_letter
from streams.redriving import redrive
from tests import factories as make


@dataclass(slots=True)
class FakeProducer:
    """Keeps what it is told to send."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    async def send_and_wait(self, topic: str, **record: Any) -> None:
        self.sent.append({"topic": topic, **record})


async def test_the_original_goes_back_with_its_key_and_what_it_has_been_through() -> None:
    producer = FakeProducer()
    await redrive(make.dead_letter(record=b"original", attempts=2), producer, prefix="")
    assert producer.sent == [
        {
            "topic": "dialogue.events",
            "key": b"d1",
            "value": b"original",
            "headers": [("kdsl-attempts", b"2"), ("redriven", b"1")],
        }
    ]


async def test_each_redrive_counts_one_attempt() -> None:
    letter = make.dead_letter(record=b"original", attempts=1)
    for attempt in (2, 3):
        producer = FakeProducer()
        await redrive(letter, producer, prefix="")
        (sent,) = producer.sent
        again = Record(
            topic=sent["topic"],
            partition=0,
            offset=0,
            timestamp_ms=0,
            key=sent["key"],
            value=sent["value"],
            headers=tuple(sent["headers"]),
        )
        assert again.redriven
        letter = dead_letter(again, reason="r", detail="", role="tagger", now_ms=0)
        assert letter.attempts == attempt
        assert letter.record_sha256 == hashlib.sha256(b"original").hexdigest()


async def test_a_cut_original_is_not_sent() -> None:
    producer = FakeProducer()
    with pytest.raises(InvalidRecord, match="9 bytes was cut"):
        await redrive(make.dead_letter(cut=True, record_length=9), producer, prefix="")
    assert producer.sent == []


@pytest.mark.parametrize("topic", ["rules.releases", "dialogue.alerts", "other-dialogue.events"])
async def test_nothing_is_written_to_a_topic_that_no_worker_of_ours_reads(topic: str) -> None:
    producer = FakeProducer()
    with pytest.raises(InvalidRecord, match="no topic of ours"):
        await redrive(make.dead_letter(topic=topic), producer, prefix="")
    assert producer.sent == []
