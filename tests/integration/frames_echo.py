"""A Faust app that prints every record of one framed topic, and acknowledges it.

Told by the environment: KAFKA, TOPIC, which its group is named after.
"""

import os
from typing import Any

import faust
import mode

from streams.frames import check_faust, frame_topic, frames
from streams.kafka import to_record

KAFKA = os.environ["KAFKA"]
TOPIC = os.environ["TOPIC"]

check_faust()
app = faust.App(
    TOPIC,
    broker=f"framed://{KAFKA}",
    topic_allow_declare=False,
    topic_disable_leader=True,
    broker_commit_interval=0.2,
)


@app.agent(frame_topic(app, TOPIC), supervisor_strategy=mode.CrashingSupervisor)
async def echo(stream: Any) -> None:
    async for frame in frames(stream):
        for record in map(to_record, frame):
            print(f"at {record.offset}: {record.value!r} of {record.timestamp_ms}")
        frame.ack_all()


if __name__ == "__main__":
    app.main()
