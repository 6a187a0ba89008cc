"""Results → the JSON of a benchmark."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from streams.bench.results import Results, Size, cpu, wall
from streams.bench.rows import OURS, Row
from streams.bench.runner import Failed, Measured, Outcome

Json: TypeAlias = dict[str, Any]
_DIGITS = 4


def as_json(results: Results) -> Json:
    """Every figure; the keys up to `latency_ms` are those of records of ~130 B."""
    return {
        **_size(results, results.small),
        "latency_ms": _latency(results),
        "p99_ratio": {
            key: _rounded(results.p99_ratio(key)) for key in results.latencies if key != OURS
        },
        "large": _size(results, results.large) if results.large else None,
        "killed": {key: asdict(outcome) for key, outcome in results.kills.items()},
        "whole": {row.key: results.small.whole(row) for row in results.rows},
        "troubles": results.troubles(),
        "machine": dict(results.machine),
        "scale": asdict(results.scale),
        "runs": _runs(results.small),
    }


def _size(results: Results, size: Size) -> Json:
    peers = [row for row in results.rows if not row.ours]
    return {
        "ratios": _by_name(peers, lambda row: size.ratio(row, wall)),
        "cpu_ratios": _by_name(peers, lambda row: size.ratio(row, cpu)),
        "records_per_s": _by_name(results.rows, lambda row: size.rate(row, wall)),
        "records_per_cpu_s": _by_name(results.rows, lambda row: size.rate(row, cpu)),
        **({"runs": _runs(size)} if size is results.large else {}),
    }


def _by_name(rows: Sequence[Row], number: Callable[[Row], float | None]) -> Json:
    """Ours → a number; a peer → {"stock": …, "best": …}, as far as they were run."""
    by_name: Json = {}
    for row in rows:
        if row.ours:
            by_name[row.name] = _rounded(number(row))
        else:
            by_name.setdefault(row.name, {})[row.flavour] = _rounded(number(row))
    return by_name


def _latency(results: Results) -> Json:
    found: Json = {}
    for key in results.latencies:
        if (pair := results.latency(key)) is not None:
            found[key.removesuffix("-best")] = {"p50": _rounded(pair[0]), "p99": _rounded(pair[1])}
    return found


def _runs(size: Size) -> Json:
    return {key: [_outcome(one) for one in outcomes] for key, outcomes in size.outcomes.items()}


def _outcome(outcome: Outcome) -> Json:
    match outcome:
        case Measured(measure=measure, whole=whole):
            return asdict(measure) | {"per_s": round(measure.per_s), "whole": whole}
        case Failed(why=why):
            return {"failed": why}


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, _DIGITS)
