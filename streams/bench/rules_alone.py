"""A fresh process that compiles rules: how long, how much memory, how long the loop waits.

Started as `python -m streams.bench.rules_alone RULES SEED [TEXTS]`; prints one JSON object.
"""

import asyncio
import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from rule_store import CompiledRules, fold
from streams.bench.rules_drawn import Drawn, draw_rules
from streams.bench.rules_texts import made_dialogues, mixed, read_dialogues

DIALOGUES = 10_000
_SWAPS = 10
_TICK_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """What compiling cost.

    compile_s: processor time. mib: resident memory more than before.
    stall_ms: longest that a ticking event loop waited while a thread compiled, and the new rules
        took the place of the old ones, which were freed; over ten swaps.
    """

    compile_s: float
    mib: float
    stall_ms: float

    @classmethod
    def measured(cls, *, rules: int, seed: int, texts: Path | None) -> Self:
        """Measure in a process of its own.

        Raises:
            RuntimeError: the process failed.
        """
        command = [sys.executable, "-m", __name__, str(rules), str(seed)]
        command += [str(texts)] if texts else []
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise RuntimeError(f"compiling apart failed: {ended.stderr[-2000:]}")
        fields: dict[str, Any] = json.loads(ended.stdout)
        return cls(**fields)


def measure(drawn: Drawn) -> Alone:
    gc.collect()
    # What drawing left behind would hide what compiling takes.
    ctypes.CDLL(None).malloc_trim(0)
    before = _resident_mib()
    started_s = time.process_time()
    compiled = CompiledRules.of(drawn.rule_set, drawn.lexicon)
    compile_s = time.process_time() - started_s
    gc.collect()
    mib = _resident_mib() - before
    del compiled
    gc.freeze()
    return Alone(compile_s=compile_s, mib=mib, stall_ms=asyncio.run(_longest_stall(drawn)) * 1e3)


async def _longest_stall(drawn: Drawn) -> float:
    longest_s = 0.0
    in_force = CompiledRules.of(drawn.rule_set, drawn.lexicon)

    async def tick() -> None:
        nonlocal longest_s
        while True:
            started_s = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            longest_s = max(longest_s, time.perf_counter() - started_s - _TICK_S)

    ticking = asyncio.create_task(tick())
    for _ in range(_SWAPS):
        in_force = await asyncio.to_thread(CompiledRules.of, drawn.rule_set, drawn.lexicon)
        await asyncio.sleep(10 * _TICK_S)
    ticking.cancel()
    del in_force
    return longest_s


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def dialogues(texts: Path | None, *, seed: int, count: int = DIALOGUES) -> list[str]:
    """The dialogues of a file, again and again until there are enough, or made ones; mixed."""
    if texts is None:
        return mixed(made_dialogues(count, seed=seed), seed=seed)
    read = read_dialogues(texts)
    return mixed([read[number % len(read)] for number in range(count)], seed=seed)


def main() -> None:
    rules, seed, *texts = sys.argv[1:]
    path = Path(texts[0]) if texts else None
    folded = [fold(text) for text in dialogues(path, seed=int(seed))]
    drawn = draw_rules(folded, rules=int(rules), seed=int(seed))
    sys.stdout.write(json.dumps(asdict(measure(drawn))))


if __name__ == "__main__":
    main()
