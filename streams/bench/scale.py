"""How much is measured."""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The size of one benchmark.

    records: of ~130 B, that each row works through in a run. large_records: of ~1 kB; 0 for none.
    seconds: bound of one run.
    only: names of peers; empty for all.
    kills: at most so many a row that gives no guarantee, until one loses something; 0 for none.
    kill_seconds: records of a kill are as many as the row does in this time.
    latency_runs: 0 for none. latency_seconds: of one, warm-up included.
    comparable: whether runs are long enough to hold the figures against bars.
    """

    records: int = 200_000
    large_records: int = 100_000
    runs: int = 5
    seconds: float = 30.0
    only: tuple[str, ...] = ()
    partitions: int = 4
    kills: int = 3
    kill_seconds: float = 8.0
    latency_runs: int = 3
    latency_seconds: float = 20.0
    latency_per_s: int = 1000
    comparable: bool = True

    def quick(self) -> Self:
        """A tenth of everything: to see that it works, not to be quoted."""
        return replace(
            self,
            records=max(1, self.records // 10),
            large_records=self.large_records // 10,
            runs=1,
            seconds=min(self.seconds, 5.0),
            kills=min(self.kills, 1),
            kill_seconds=min(self.kill_seconds, 3.0),
            latency_runs=min(self.latency_runs, 1),
            latency_seconds=min(self.latency_seconds, 8.0),
            comparable=False,
        )
