"""The work that every worker does with a record."""

from typing import Any

import msgpack


def label(value: bytes) -> bytes:
    """Decode an event, say whether it speaks of a cat, encode it again.

    >>> msgpack.unpackb(label(msgpack.packb({"id": 7, "text": "the cat sat"})))
    {'id': 7, 'text': 'the cat sat', 'label': 1}
    """
    event: dict[str, Any] = msgpack.unpackb(value)
    event["label"] = 1 if "cat" in event["text"] else 0
    labelled: bytes = msgpack.packb(event)
    return labelled
