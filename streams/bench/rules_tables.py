"""Results of the rule benchmark → tables for people."""

from streams.bench.rules_peers import LEFT_OUT
from streams.bench.rules_results import (
    COMPILE_MOST_S,
    GROWTH_MOST,
    MEMORY_MOST_MIB,
    STALL_MOST_MS,
    Row,
    RulesResults,
)
from streams.bench.tables import Grid


def grids(results: RulesResults) -> list[Grid]:
    """Ours beside the peers, then the stages of ours."""
    return [*(_peers(results, row) for row in results.rows), _stages(results)]


def _peers(results: RulesResults, row: Row) -> Grid:
    bars = row is results.rows[0]
    lines = [["compiled rules (ours)", f"{row.many.us:,.1f}", f"{1e6 / row.many.us:,.0f}", "–"]]
    for peer in results.peers:
        found = row.compared[peer.name]
        bar = f" (≥{peer.least:.2g})" if bars and peer.least is not None else ""
        lines.append(
            [peer.says, f"{found.us:,.1f}", f"{1e6 / found.us:,.0f}", f"{found.ratio:,.2f}{bar}"]
        )
    title = (
        f"{row.many.rules:,} rules, {row.many.phrases:,} phrases, {row.says} of "
        f"{row.characters:.0f} characters: {row.many.hits:.1f} hits, {row.many.fired:.1f} fired"
    )
    return Grid(title=title, head=["", "µs", "dialogues/s", "ours ÷ it"], lines=lines)


def _stages(results: RulesResults) -> Grid:
    names = list(results.rows[0].stages_us)
    lines = [
        [row.says, *(f"{row.stages_us[name]:.1f}" for name in names), f"{row.growth:.2f}"]
        for row in results.rows
    ]
    head = ["µs a dialogue", *names, f"growth (≤{GROWTH_MOST:g})"]
    return Grid(title="Stages of ours, and what more rules cost", head=head, lines=lines)


def notes(results: RulesResults) -> list[str]:
    """What must be known beside the tables."""
    first, alone = results.rows[0], results.alone
    found = [
        f"{met.rules:,} rules, {met.phrases:,} phrases: {met.hits:.1f} phrase hits and "
        f"{met.fired:.1f} fired rules a dialogue, {met.us:.1f} µs"
        for met in (first.few, first.many)
    ]
    found.append(
        f"compiling {first.many.rules:,} rules: {alone.compile_s:.2f} s (≤{COMPILE_MOST_S:g}), "
        f"{alone.mib:.0f} MiB (≤{MEMORY_MOST_MIB:g}); longest stall of an event loop beside it, "
        f"swapping and freeing included: {alone.stall_ms:.0f} ms (≤{STALL_MOST_MS:g})"
    )
    fastest = results.fastest_general()
    if fastest is not None:
        found.append(f"the fastest general rule engine: {fastest:,.1f} times slower")
    found.append(LEFT_OUT)
    found += [f"{name}: {text}" for name, text in results.machine.items()]
    return found + [f"missed: {sentence}" for sentence in results.missed()]
