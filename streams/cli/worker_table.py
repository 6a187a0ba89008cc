"""Workers as `kdsl release status` shows them: a table, and what has no room in it."""

from collections.abc import Callable, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from streams.brief import age, brief
from streams.cli.terminal import printable
from streams.events import RefusedRelease
from streams.statuses import Worker

_NONE = "-"


def worker_table(workers: Sequence[Worker], *, now_ms: int) -> Table:
    """One row a worker; a column stands there only where it tells something."""
    several = len({each.status.domain for each in workers}) > 1
    columns: list[tuple[str, Callable[[Worker], str]]] = [
        ("worker", _name),
        ("role", lambda each: each.status.role),
        *[("domain", lambda each: each.status.domain)] * several,
        ("release", _release),
        *[("active", _active)] * any(each.differs for each in workers),
        ("no.", _sequence),
        ("for", lambda each: _running_for(each, now_ms=now_ms)),
        ("ready", _ready),
        ("lag", lambda each: _NONE if each.status.lag is None else str(each.status.lag)),
        ("shadow", _shadow),
    ]
    # Ids are there to be copied, and no word is read well in pieces.
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    cells = []
    for name, cell in columns:
        column = [printable(cell(each)) for each in workers]
        if set(column) != {_NONE}:
            table.add_column(name, no_wrap=True)
            cells.append(column)
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    return table


def _name(worker: Worker) -> str:
    status = worker.status
    return status.worker.removeprefix(f"{status.domain}-{status.role}-")


def _release(worker: Worker) -> str:
    running = worker.status.in_force
    return brief(running.digest) if running else "none"


def _active(worker: Worker) -> str:
    if worker.status.labels_digest is None:
        return _NONE
    return "no" if worker.differs else "yes"


def _sequence(worker: Worker) -> str:
    running = worker.status.in_force
    return str(running.sequence) if running else _NONE


def _running_for(worker: Worker, *, now_ms: int) -> str:
    running = worker.status.in_force
    return age(now_ms - running.since_ms) if running else _NONE


def _ready(worker: Worker) -> str:
    if worker.gone:
        return "gone"
    return "no" if worker.status.obstacles else "yes"


def _shadow(worker: Worker) -> str:
    running = worker.status.in_force
    if running is not None and running.shadow is not None:
        return "yes"
    return "no" if worker.missing_shadow else _NONE


def sentences(worker: Worker, *, now_ms: int) -> Iterator[str]:
    """What has no room in the table."""
    status = worker.status
    if worker.gone:
        last = "it stopped" if status.stopped else "its last word was"
        yield f"{status.worker}: {last} {age(now_ms - status.at_ms)} ago"
    else:
        for obstacle in status.obstacles:
            yield f"{status.worker}: {obstacle}"
        if status.uses_fitted_weights is False:
            yield f"{status.worker}: its bundle is not the one that the release was fitted with"
    missing, refusal = None if worker.gone else worker.missing_shadow, status.refusal
    of_shadow = missing is not None and refusal is not None and refusal.digest == missing
    if missing is not None:
        end = f": {refusal.why}" if of_shadow and refusal is not None else " yet"
        yield f"{status.worker}: its shadow {brief(missing)} is not evaluated{end}"
    if refusal is not None and not of_shadow:
        yield f"{status.worker}: {_refused(worker, refusal, now_ms=now_ms)}"


def _refused(worker: Worker, refusal: RefusedRelease, *, now_ms: int) -> str:
    """What it refused last; it stays in the status, whatever came after it."""
    running = worker.status.in_force
    overcome = running is not None and refusal.at_ms < running.since_ms
    when = f"{age(now_ms - refusal.at_ms)} ago"
    before = ", before the release in force" * overcome
    known = refusal.digest is not None and refusal.digest not in refusal.why
    what = f"release {refusal.digest}: " if known else ""
    return f"refused {when}{before}: {what}{refusal.why}"
