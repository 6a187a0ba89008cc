"""A worker whose deliveries take longer than its commit interval.

With `KDSL_TEST_ACK=first` its loop acknowledges before delivery, which loses records when it is
killed meanwhile: the kill test must notice. Without, the loop is the real one and must lose none.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

from streams import app, cli
from streams.delivery import Delivery
from streams.records import Output

PAUSE_S = 3.0  # longer than the commit interval of 1 s

_deliver = Delivery.deliver


async def deliver(self: Delivery, outputs: Sequence[Output]) -> None:
    await asyncio.sleep(PAUSE_S)
    await _deliver(self, outputs)


async def work_off_acknowledging_first(
    batches: Any, role: Any, deliver: Any, *, health: Any, metrics: Any
) -> None:
    async for batch in batches:
        metrics.in_flight.set(len(batch))
        decided = await role.decide([taken.record for taken in batch])
        for taken in batch:
            taken.ack()
        await deliver([output for outputs in decided for output in outputs])


if __name__ == "__main__":
    Delivery.deliver = deliver  # type: ignore[method-assign]
    if os.environ.get("KDSL_TEST_ACK") == "first":
        vars(app)["work_off"] = work_off_acknowledging_first
    sys.argv[1:1] = ["worker"]
    cli.main()
