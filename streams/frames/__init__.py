"""Frames: a Faust transport that is as fast as a bare client, and loses nothing.

    app = faust.App("shop", broker="framed://kafka:9092")
    orders = frame_topic(app, "orders")

    @app.agent(orders, supervisor_strategy=mode.CrashingSupervisor)
    async def work(stream):
        async for frame in frames(stream):      # sequences of aiokafka records
            ...                                 # decide, send, await the acknowledgements
            frame.ack_all()                     # last: only then may it be committed

Reading order: ledger, frame, unreadable, client, consumer, transport for what comes in; output,
failures, outlet for what goes out; overlap for both together; compatibility. It knows nothing of
dialogues.
"""

from streams.frames.compatibility import FaustChanged, check_faust
from streams.frames.failures import FAILURE_KINDS, DeliveryFailed, FailureKind, failure_kind
from streams.frames.frame import Frame, FrameBounds
from streams.frames.ledger import Lease, Ledger
from streams.frames.outlet import PRODUCER_OPTIONS, Outlet
from streams.frames.output import OutputRecord, RecordTuple, send_in_batches
from streams.frames.overlap import overlap
from streams.frames.transport import Transport, frame_consumer, frame_topic, frames
from streams.frames.unreadable import UnreadableRecord

__all__ = [
    "FAILURE_KINDS",
    "PRODUCER_OPTIONS",
    "DeliveryFailed",
    "FailureKind",
    "FaustChanged",
    "Frame",
    "FrameBounds",
    "Lease",
    "Ledger",
    "Outlet",
    "OutputRecord",
    "RecordTuple",
    "Transport",
    "UnreadableRecord",
    "check_faust",
    "failure_kind",
    "frame_consumer",
    "frame_topic",
    "frames",
    "overlap",
    "send_in_batches",
]
