"""What came of the rule benchmark, and which bars it missed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from streams.bench.rules_alone import Alone
from streams.bench.rules_peers import Peer

GROWTH_MOST = 2.0
COMPILE_MOST_S = 2.0
MEMORY_MOST_MIB = 200.0
STALL_MOST_MS = 100.0
HITS_LEAST = 20.0
FIRED_LEAST = 2.0
_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What an average dialogue meets, of so many rules. us: what ours takes for it."""

    rules: int
    phrases: int
    hits: float
    fired: float
    us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Ours beside a peer. us: of the peer. ratio: ours ÷ it in events a second."""

    us: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The benchmark over some dialogues.

    few, many: at 100 and at 10,000 rules.
    growth: time for a dialogue at many rules ÷ at few, the median over the rounds.
    compared: peer's name → beside ours, at many rules.
    """

    says: str
    characters: float
    few: Met
    many: Met
    growth: float
    stages_us: Mapping[str, float]
    compared: Mapping[str, Compared]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesResults:
    """A whole benchmark. rows: dialogues with hits first, without hits last."""

    peers: Sequence[Peer]
    rows: Sequence[Row]
    alone: Alone
    machine: Mapping[str, str] = field(default_factory=dict)

    def fastest_general(self) -> float | None:
        """Ours ÷ the fastest of the general rule engines."""
        general = [peer.name for peer in self.peers if peer.general]
        ratios = [self.rows[0].compared[n].ratio for n in general if n in self.rows[0].compared]
        return min(ratios, default=None)

    def missed(self) -> list[str]:
        """Every bar that was not reached, a sentence each; bars hold for the first row."""
        row, found = self.rows[0], []
        for peer in self.peers:
            compared = row.compared.get(peer.name)
            if peer.least is not None and compared and compared.ratio < peer.least:
                found.append(f"{peer.name}: {compared.ratio:.2f}, and must reach {peer.least:.2f}")
        for what, value, most, unit in (
            ("growth from few to many rules", row.growth, GROWTH_MOST, ""),
            ("compiling", self.alone.compile_s, COMPILE_MOST_S, " s"),
            ("memory", self.alone.mib, MEMORY_MOST_MIB, " MiB"),
            ("longest stall of the event loop", self.alone.stall_ms, STALL_MOST_MS, " ms"),
        ):
            if value > most:
                found.append(f"{what}: {value:.2f}{unit}, and must not exceed {most:g}{unit}")
        found += [
            f"{met.rules} rules: {met.hits:.1f} hits and {met.fired:.1f} fired a dialogue are "
            f"fewer than {HITS_LEAST:g} and {FIRED_LEAST:g}"
            for met in (row.few, row.many)
            if met.hits < HITS_LEAST or met.fired < FIRED_LEAST
        ]
        return found

    def as_json(self) -> dict[str, Any]:
        """Every figure; the first three keys are of the dialogues with hits."""
        row = self.rows[0]
        return {
            "ratios": {name: round(each.ratio, _DIGITS) for name, each in row.compared.items()},
            "growth_100_to_10000": round(row.growth, _DIGITS),
            "stages_us": {stage: round(us, _DIGITS) for stage, us in row.stages_us.items()},
            "compile": asdict(self.alone),
            "rows": [asdict(each) for each in self.rows],
            "missed": self.missed(),
            "machine": dict(self.machine),
        }


def within_rounds(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of theirs ÷ ours in time, which is ours ÷ theirs in events a second."""
    return median(their / our for our, their in zip(ours, theirs, strict=True))
