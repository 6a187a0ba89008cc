"""A worker whose deliveries take longer than its commit interval.

With `KDSL_TEST_ACK=first` its loop acknowledges before delivery, which loses records when it is
killed meanwhile: the kill test must notice. Without, the loop is the real one and must lose none.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Sequence
from typing import Any

from streams import cli
from streams.batches import Loop
from streams.delivery import Delivery
from streams.records import Output

PAUSE_S = 3.0  # longer than the commit interval of 1 s

_send = Delivery.send


async def send(self: Delivery, outputs: Sequence[Output]) -> Awaitable[object]:
    async def deliver() -> None:
        await asyncio.sleep(PAUSE_S)
        await (await _send(self, outputs))

    return deliver()


async def run_acknowledging_first(self: Loop, batches: Any) -> None:
    async for batch in batches:
        self.metrics.in_flight.set(len(batch.records))
        decided = await self.role.decide(batch.records)
        for position in range(len(batch.records)):
            batch.ack(position)
        await (await self.send([output for outputs in decided for output in outputs]))


if __name__ == "__main__":
    Delivery.send = send  # type: ignore[method-assign]
    if os.environ.get("KDSL_TEST_ACK") == "first":
        Loop.run = run_acknowledging_first  # type: ignore[method-assign]
    sys.argv[1:1] = ["worker"]
    cli.main()
