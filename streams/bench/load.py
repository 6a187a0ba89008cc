"""The records that every worker reads."""

import random
from collections.abc import Iterator
from typing import Any

import msgpack

from streams.bench.outside import Outside

DIALOGUES = 997
_WORDS = ("the", "cat", "sat", "on", "a", "mat", "while", "rain", "fell", "over", "quiet", "hills")
_TEXTS = 500
# MessagePack of everything but the text, at ids of five digits.
_AROUND_TEXT_BYTES = 57
_FLUSH_S = 120


def texts(value_bytes: int, *, seed: int = 1) -> tuple[str, ...]:
    """Random sentences that make events of about so many bytes."""
    chars = max(1, value_bytes - _AROUND_TEXT_BYTES)
    source = random.Random(seed)  # noqa: S311  text, not secrets
    return tuple(
        " ".join(source.choice(_WORDS) for _ in range(chars))[:chars] for _ in range(_TEXTS)
    )


def event(number: int, text: str, *, sent_at_s: float) -> tuple[bytes, bytes]:
    """Key and value of one dialogue event.

    >>> key, value = event(5, "the cat", sent_at_s=0.0)
    >>> key, msgpack.unpackb(value)["id"]
    (b'5', 5)
    """
    dialogue, turn = number % DIALOGUES, number // DIALOGUES
    fields = {
        "id": number,
        "conv": dialogue,
        "turn": turn,
        "speaker": "user" if number % 2 else "agent",
        "ts": sent_at_s,
        "text": text,
    }
    return str(dialogue).encode(), msgpack.packb(fields)


def events(count: int, value_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    """Events numbered from 0, always the same ones."""
    chosen = texts(value_bytes)
    for number in range(count):
        yield event(number, chosen[number % _TEXTS], sent_at_s=1_700_000_000.0 + number)


def preload(outside: Outside, topic: str, count: int, value_bytes: int) -> None:
    """Write events into a topic, each to the partition of its dialogue.

    Raises:
        RuntimeError: the cluster did not take all of them.
    """
    producer = outside.producer(
        {"linger.ms": 20, "batch.size": 200_000, "queue.buffering.max.messages": 1_000_000}
    )
    for key, value in events(count, value_bytes):
        _produce(producer, topic, key, value)
    producer.flush(_FLUSH_S)
    if (written := outside.written(topic)) != count:
        raise RuntimeError(f"{topic} holds {written} of {count} records")


def _produce(producer: Any, topic: str, key: bytes, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:  # its queue is full: let it deliver
            producer.poll(0.05)
        else:
            return
