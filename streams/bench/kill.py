"""What a row loses when its worker is killed in the middle."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import msgpack

from streams.bench.rows import Row
from streams.bench.runner import Failed
from streams.bench.site import Site, Work
from streams.errors import StreamsError

# A group with the libraries' defaults misses its dead member only after a minute.
_STALLED_S = 90.0
_LOOK_EVERY_S = 0.005
_RECOVERY_LOOK_EVERY_S = 0.2
_EARLIEST, _LATEST = 0.2, 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What stood in the output after a second worker had gone on to the end of the log.

    records: in the source. kills: how many were tried to see a loss.
    lost: records without an output. again: outputs beyond the first of a record.
    """

    records: int
    kills: int
    lost: int
    again: int


KillOutcome: TypeAlias = Killed | Failed


def kill_row(site: Site, row: Row, *, records: int, value_bytes: int, kills: int) -> KillOutcome:
    """Kill a row's worker; a row without the guarantee up to so often, until it loses something."""
    outcome: KillOutcome = Failed(why="was not killed")
    try:
        with site.source(records, value_bytes) as source:
            for number in range(1 if row.guarantees else kills):
                outcome = _kill_once(site, row, source, records, number + 1)
                if isinstance(outcome, Failed) or outcome.lost:
                    break
    except StreamsError as error:  # the rows after this one are worth having all the same
        return Failed(why=str(error))
    return outcome


def _kill_once(site: Site, row: Row, source: str, records: int, number: int) -> KillOutcome:
    with site.work(row, source=source) as work:
        work.start()
        if (trouble := _strike(site, work, records)) is not None:
            return Failed(why=trouble)
        work.start()
        if (trouble := _recover(site, work, records)) is not None:
            return Failed(why=f"after the kill: {trouble}")
        lost, again = account(site.outside.read(work.plan.target), records)
        return Killed(records=records, kills=number, lost=lost, again=again)


def _strike(site: Site, work: Work, records: int) -> str | None:
    """Kill the worker between a fifth and three quarters of its output.

    In between it is killed as soon as more is committed than written: that is when a worker that
    commits before delivery loses, and no other worker ever stands so.

    Returns:
        Why it could not be killed, or None.
    """
    outside, plan = site.outside, work.plan
    until = time.monotonic() + _STALLED_S
    while time.monotonic() < until:
        if (death := work.death()) is not None:
            return death
        committed = outside.committed(plan.group, plan.source)
        written = outside.written(plan.target)  # asked later, so never too low
        ahead = committed > written
        if written >= records * (_EARLIEST if ahead else _LATEST):
            work.kill()
            if outside.committed(plan.group, plan.source) >= records:
                return "was through before it could be killed; take more records"
            return None
        time.sleep(_LOOK_EVERY_S)
    return f"did not get to the middle: {work.last_words()}"


def _recover(site: Site, work: Work, records: int) -> str | None:
    """Wait until all is committed; why that did not happen, or None."""
    committed = -1
    until = time.monotonic() + _STALLED_S
    while time.monotonic() < until:
        if (death := work.death()) is not None:
            return death
        now = site.outside.committed(work.plan.group, work.plan.source)
        if now >= records:
            return None
        if now > committed:
            committed, until = now, time.monotonic() + _STALLED_S
        time.sleep(_RECOVERY_LOOK_EVERY_S)
    return f"committed {committed} of {records} and stopped: {work.last_words()}"


def account(values: Iterable[bytes], records: int) -> tuple[int, int]:
    """How many of the events 0 .. records - 1 have no output, and how many outputs are repeats.

    >>> account([msgpack.packb({"id": number}) for number in (0, 2, 2)], 3)
    (1, 1)
    """
    seen = Counter(msgpack.unpackb(value)["id"] for value in values)
    return records - len(seen), seen.total() - len(seen)
