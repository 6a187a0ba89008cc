"""A worker that pauses between deciding and delivering, and may acknowledge too early.

`KDSL_TEST_ACK=first` acknowledges before delivery, which loses records when it is killed in the
pause; the kill test must notice. Without it the same pause must lose nothing.
"""

import asyncio
import os
import sys
from typing import Any

from streams import app, cli

PAUSE_S = 3.0  # longer than the commit interval of 1 s


async def take_batches(stream: Any, station: app.Station, settings: Any) -> None:
    async for events in stream.noack_take(settings.batch, within=settings.linger_s):
        station.metrics.in_flight.set(len(events))
        decided = await station.role.decide([app._record(event) for event in events])
        outputs = [output for outputs in decided for output in outputs]
        ack_first = os.environ.get("KDSL_TEST_ACK") == "first"
        if ack_first:
            acknowledge(events)
        await asyncio.sleep(PAUSE_S)
        await station.delivery.deliver(outputs)
        if not ack_first:
            acknowledge(events)
        station.metrics.in_flight.set(0)


def acknowledge(events: Any) -> None:
    for event in events:
        event.ack()


if __name__ == "__main__":
    app._take_batches = take_batches
    sys.argv[1:1] = ["worker"]
    cli.main()
