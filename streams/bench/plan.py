"""What one worker process is told to do."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Flavour = Literal["stock", "best", "wide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One worker of one row, handed over as JSON on its command line.

    peer: the module of `streams.bench.peers` that does the work.
    flavour: `stock` keeps the library's defaults, `best` is tuned and loses nothing, `wide` is
        `best` with larger polls than ours: faster, and more to do again after a kill.
    records: after so many the clock is stopped; 0 for a worker that is not timed.
    seconds: the clock is stopped then, too.
    frame_s: what deciding a frame takes beside the work itself; of ours only.
    partitions: of both topics.
    report: file that takes what was measured.
    """

    peer: str
    flavour: Flavour
    bootstrap: str
    source: str
    target: str
    group: str
    records: int
    seconds: float
    partitions: int
    report: str
    frame_s: float = 0.0

    @property
    def best(self) -> bool:
        """Whether to be tuned and lose nothing."""
        return self.flavour != "stock"

    @property
    def wide(self) -> bool:
        return self.flavour == "wide"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields: dict[str, Any] = json.loads(text)
        return cls(**fields)
