"""A Faust app over frames: counts the words of `sentences` into `words`.

KAFKA=localhost:9092 python frames_app.py worker -l info --without-web
"""

import os
from collections.abc import Awaitable
from typing import Any

import faust
import mode

from streams.frames import (
    Frame,
    FrameBounds,
    Outlet,
    OutputRecord,
    check_faust,
    frame_topic,
    frames,
    overlap,
)

KAFKA = os.environ.get("KAFKA", "localhost:9092")

check_faust()
app = faust.App(
    "frames-example",
    broker=f"framed://{KAFKA}",  # the transport is found by this scheme
    topic_allow_declare=False,
    topic_disable_leader=True,
    broker_session_timeout=10.0,  # so long nobody reads the partitions of a worker that died
    broker_heartbeat_interval=3.0,
    broker_commit_interval=1.0,  # what was done since is done again after a crash
)
sentences = frame_topic(app, "sentences", bounds=FrameBounds(max_records=100))
outlet = Outlet(bootstrap_servers=KAFKA)


async def count(frame: Frame) -> list[OutputRecord]:
    counts = [(record.key, len(record.value.split())) for record in frame]
    return [OutputRecord("words", key, str(count).encode()) for key, count in counts]


async def send(_frame: Frame, outputs: list[OutputRecord]) -> Awaitable[object]:
    return await outlet.send(outputs)


def acknowledge(frame: Frame, _outputs: list[OutputRecord]) -> None:
    frame.ack_all()  # called when the broker has the outputs: only now may it be committed


@app.agent(sentences, supervisor_strategy=mode.CrashingSupervisor)
async def count_words(stream: faust.Stream[Any]) -> None:
    """Later frames are counted while the output of earlier ones is under way."""
    await outlet.start()
    try:
        await overlap(frames(stream), decide=count, send=send, acknowledge=acknowledge)
    finally:
        await outlet.stop()


if __name__ == "__main__":
    app.main()
