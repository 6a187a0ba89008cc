"""A Faust app as its user writes it: two framed topics, an ordinary one, a table beside each kind.

Told by the environment: KAFKA, PREFIX (of topics and group), NAME (of this worker), PAUSE_S (how
long each frame waits before it is sent), HOLD (partition whose clicks wait for SIGUSR1 before they
are counted), COMMIT_EVERY_S.
"""

import asyncio
import os
import signal
from typing import Any

import faust
import mode
from aiokafka import AIOKafkaProducer
from faust.types import TableT

from streams.frames import (
    Frame,
    FrameBounds,
    OutputRecord,
    check_faust,
    frame_topic,
    send_in_batches,
)

PARTITIONS = 2
KAFKA = os.environ["KAFKA"]
PREFIX = os.environ["PREFIX"]
NAME = os.environ["NAME"]
PAUSE_S = float(os.environ.get("PAUSE_S", "0"))
HOLD = int(os.environ.get("HOLD", "-1"))
BY = [("by", NAME.encode())]

check_faust()
app = faust.App(
    f"{PREFIX}shop",
    broker=f"framed://{KAFKA}",
    store="memory://",
    topic_partitions=PARTITIONS,  # of the changelogs, which must be those of the sources
    topic_replication_factor=1,
    topic_disable_leader=True,
    table_standby_replicas=0,
    broker_commit_interval=float(os.environ.get("COMMIT_EVERY_S", "0.5")),
    broker_session_timeout=10.0,
    broker_heartbeat_interval=1.0,  # who is there learns by it that another joins
    broker_rebalance_timeout=10.0,
    consumer_group_instance_id=NAME,  # who is killed and started again has its partitions at once
)
orders = frame_topic(app, f"{PREFIX}orders", bounds=FrameBounds(max_records=100))
clicks = frame_topic(app, f"{PREFIX}clicks", bounds=FrameBounds(max_records=7, max_waiting=2))
notes = app.topic(f"{PREFIX}notes", key_serializer="raw", value_serializer="raw")
notes_out = app.topic(f"{PREFIX}notes-out", key_serializer="raw", value_serializer="raw")

# Key → [how many records, offset of the last]: a record read again is not counted again.
click_counts = app.Table("click-counts", partitions=PARTITIONS)
note_counts = app.Table("note-counts", partitions=PARTITIONS)
_producers: list[AIOKafkaProducer] = []
_released = asyncio.Event()


async def deliver(frame: Frame, values: list[bytes], topic: str) -> None:
    """Send a value for each record of a frame, await delivery, acknowledge."""
    if not _producers:
        _producers.append(AIOKafkaProducer(bootstrap_servers=KAFKA, enable_idempotence=True))
        await _producers[0].start()
    outputs = [
        OutputRecord(topic=topic, key=record.key, value=value, headers=BY)
        for record, value in zip(frame, values, strict=True)
    ]
    await asyncio.sleep(PAUSE_S)
    await (await send_in_batches(_producers[0], outputs))
    frame.ack_all()


async def held(frame: Frame) -> Frame:
    """Some other work before counting, as a model's call would be."""
    if frame[0].partition == HOLD:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _released.set)
        print("a frame is held")
        await _released.wait()
    return frame


def count(table: TableT[Any, Any], key: bytes, value: bytes, offset: int) -> bytes:
    """Count a record of a key; its value with the new count, or with `again`."""
    counted, last = table.get(key.decode(), [0, -1])
    if offset <= last:
        return value + b" again"
    table[key.decode()] = [counted + 1, offset]
    return value + b" %d" % (counted + 1)


@app.agent(orders, supervisor_strategy=mode.CrashingSupervisor)
async def pass_orders(stream: Any) -> None:
    async for event in stream.noack().events():
        await deliver(event.value, [record.value for record in event.value], f"{PREFIX}orders-out")


@app.agent(clicks, supervisor_strategy=mode.CrashingSupervisor)
async def count_clicks(stream: Any) -> None:
    async for event in stream.noack().events():
        frame = await held(event.value)
        if frame.abandoned:
            continue  # another worker counts its records; ours would overwrite its changes
        # Nothing is awaited from the look to the last change.
        values = [count(click_counts, r.key, r.value, r.offset) for r in frame]
        await deliver(frame, values, f"{PREFIX}clicks-out")


@app.agent(notes, supervisor_strategy=mode.CrashingSupervisor)
async def count_notes(stream: Any) -> None:
    async for event in stream.events():
        key, message = event.message.key, event.message
        value = count(note_counts, key, message.value, message.offset)
        await (await notes_out.send(key=key, value=value, headers=dict(BY)))


if __name__ == "__main__":
    app.main()
