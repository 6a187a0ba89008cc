"""A Faust app over frames: counts the words of `sentences` into `words`.

KAFKA=localhost:9092 python frames_app.py worker -l info --without-web
"""

import os

import faust
import mode
from aiokafka import AIOKafkaProducer

from streams.frames import FrameBounds, OutputRecord, check_faust, frame_topic, send_in_batches

KAFKA = os.environ.get("KAFKA", "localhost:9092")

check_faust()
app = faust.App(
    "frames-example",
    broker=f"framed://{KAFKA}",  # the transport is found by this scheme
    stream_wait_empty=False,  # what is in flight in a rebalance is read again
    topic_allow_declare=False,
    topic_disable_leader=True,
    broker_commit_interval=1.0,
)
sentences = frame_topic(app, "sentences", bounds=FrameBounds(max_records=100))
producer: AIOKafkaProducer | None = None


@app.agent(sentences, supervisor_strategy=mode.CrashingSupervisor)
async def count_words(stream: faust.Stream[object]) -> None:
    """One frame at a time: decide, send, await the acknowledgement, acknowledge."""
    global producer
    if producer is None:
        producer = AIOKafkaProducer(bootstrap_servers=KAFKA, acks="all", enable_idempotence=True)
        await producer.start()
    async for event in stream.noack().events():
        frame = event.value
        counts = [(record.key, len(record.value.split())) for record in frame]
        outputs = [
            OutputRecord(topic="words", key=key, value=str(count).encode()) for key, count in counts
        ]
        await (await send_in_batches(producer, outputs))
        frame.ack_all()  # last: only now may it be committed


if __name__ == "__main__":
    app.main()
