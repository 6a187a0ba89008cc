"""Frames: a Faust transport that is as fast as a bare client, and loses nothing.

    app = faust.App("shop", broker="framed://kafka:9092")
    orders = frame_topic(app, "orders")

    @app.agent(orders, supervisor_strategy=mode.CrashingSupervisor)
    async def work(stream):
        async for event in stream.noack().events():
            frame = event.value                 # a sequence of aiokafka records
            ...                                 # decide, send, await the acknowledgements
            frame.ack_all()                     # last: only then may it be committed

Reading order: ledger, frame, transport, output, compatibility. It knows nothing of dialogues.
"""

from streams.frames.compatibility import FaustChanged, check_faust
from streams.frames.frame import Frame
from streams.frames.ledger import Lease, Ledger
from streams.frames.output import OutputRecord, send_in_batches
from streams.frames.transport import FrameBounds, Transport, frame_topic

__all__ = [
    "FaustChanged",
    "Frame",
    "FrameBounds",
    "Lease",
    "Ledger",
    "OutputRecord",
    "Transport",
    "check_faust",
    "frame_topic",
    "send_in_batches",
]
