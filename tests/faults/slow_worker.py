"""A tagger whose every decision takes `KDSL_TEST_DECISION_S` seconds; `inf` never ends."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence

from streams import cli
from streams.records import Record
from streams.role import Outputs, never
from streams.tagger import Tagger

_decide = Tagger.decide


async def decide(
    self: Tagger, records: Sequence[Record], *, abandoned: Callable[[], bool] = never
) -> list[Outputs]:
    decision_s = float(os.environ["KDSL_TEST_DECISION_S"])
    decided: list[Outputs] = []
    for record in records:
        if abandoned():
            break
        await asyncio.sleep(decision_s)
        decided += await _decide(self, [record])
    return decided


if __name__ == "__main__":
    Tagger.decide = decide  # type: ignore[method-assign]
    sys.argv[1:1] = ["worker"]
    cli.main()
