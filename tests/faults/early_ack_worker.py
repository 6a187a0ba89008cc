"""A worker that acknowledges before delivery, and then takes its time to deliver."""

import asyncio
import sys
from typing import Any

from streams import cli
from streams.batches import Loop

PAUSE_S = 60.0


async def run(self: Loop, batches: Any) -> None:
    async for batch in batches:
        decided = await self.role.decide(batch.records)
        for position in range(len(batch.records)):
            batch.ack(position)
        await asyncio.sleep(PAUSE_S)
        await (await self.send([output for outputs in decided for output in outputs]))


if __name__ == "__main__":
    Loop.run = run  # type: ignore[method-assign]
    sys.argv[1:1] = ["worker"]
    cli.main()
