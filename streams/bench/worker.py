"""A worker process of the benchmark: `python -m streams.bench.worker '<plan as JSON>'`."""

import importlib
import sys
from pathlib import Path
from typing import Protocol, cast

from streams.bench.meter import Meter
from streams.bench.plan import Plan


class Peer(Protocol):
    """A module of `streams.bench.peers`."""

    def run(self, plan: Plan, meter: Meter) -> None: ...


def main(plan: Plan) -> None:
    # Loaded by name: a worker must not carry the other peers' libraries along.
    peer = cast("Peer", importlib.import_module(f"streams.bench.peers.{plan.peer}"))
    meter = Meter(
        records=plan.records, seconds=plan.seconds, report=Path(plan.report), tuned=plan.best
    )
    peer.run(plan, meter)


if __name__ == "__main__":
    main(Plan.from_json(sys.argv[1]))
