"""What `kdsl release status` shows of workers, in a terminal of 80 columns."""

from dataclasses import replace

from rich.console import Console

from rule_store import Activation, topic_key
from streams.cli.worker_table import sentences, worker_table
from streams.events import RefusedRelease, ReleaseInForce, WorkerStatus
from streams.statuses import Worker, weigh
from tests import factories as make
from tests.unit.streams.test_statuses import ACTIVE, OTHER, STATUS

TAGGER = replace(STATUS, worker="shop-tagger-2b4f030b1d4f", lag=0)
RESOLVER = replace(STATUS, worker="shop-resolver-91c2aa07e6d3", role="resolver", lag=1204)
ALERTER = replace(
    STATUS,
    worker="shop-alerter-77aa030b1d4f",
    role="alerter",
    labels_digest=None,
    in_force=None,
)


def weighed(*statuses: WorkerStatus, active: Activation = ACTIVE) -> list[Worker]:
    return weigh(statuses, {topic_key(active): active}, now_ms=make.NOW_MS)


def shown(workers: list[Worker]) -> list[list[str]]:
    """The words of each line of the table."""
    console = Console(width=80, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(worker_table(workers, now_ms=make.NOW_MS))
    lines = [line.split() for line in capture.get().splitlines()]
    return [line for line in lines if line and "─" not in line[0]]


def said(status: WorkerStatus, active: Activation = ACTIVE) -> list[str]:
    (worker,) = weighed(status, active=active)
    return list(sentences(worker, now_ms=make.NOW_MS))


def test_a_column_that_tells_nothing_is_left_out() -> None:
    assert shown(weighed(TAGGER)) == [
        ["worker", "role", "release", "no.", "for", "ready", "lag"],
        ["2b4f030b1d4f", "tagger", "a" * 12, "3", "0", "s", "yes", "0"],
    ]
    assert "lag" not in shown(weighed(STATUS))[0]
    elsewhere = replace(ALERTER, domain="kiosk", worker="kiosk-alerter-0")
    assert "domain" in shown(weighed(TAGGER, elsewhere))[0]


def test_nothing_is_cut_in_80_columns_when_there_is_most_to_tell() -> None:
    shadowed = replace(ACTIVE, shadow="sha256:" + "c" * 64)
    behind = ReleaseInForce(digest=OTHER, sequence=2, since_ms=make.NOW_MS - 600_000)
    workers = weighed(TAGGER, replace(RESOLVER, in_force=behind), ALERTER, active=shadowed)
    assert shown(workers) == [
        ["worker", "role", "release", "active", "no.", "for", "ready", "lag", "shadow"],
        ["77aa030b1d4f", "alerter", "none", "-", "-", "-", "yes", "-", "-"],
        f"91c2aa07e6d3 resolver {'b' * 12} no 2 10 min yes 1204 -".split(),
        f"2b4f030b1d4f tagger {'a' * 12} yes 3 0 s yes 0 no".split(),
    ]


def test_a_refusal_is_told_with_its_time_and_whether_a_later_release_is_in_force() -> None:
    refusal = RefusedRelease(digest=None, why="activation refused", at_ms=make.NOW_MS - 180_000)
    old = ReleaseInForce(digest=make.RELEASE, sequence=3, since_ms=make.NOW_MS - 600_000)
    status = replace(TAGGER, refusal=refusal)
    before = "refused 3 min ago, before the release in force"
    assert said(replace(status, in_force=old)) == [
        f"{TAGGER.worker}: refused 3 min ago: activation refused"
    ]
    assert said(status) == [f"{TAGGER.worker}: {before}: activation refused"]
    named = replace(status, refusal=replace(refusal, digest=OTHER))
    assert said(named) == [f"{TAGGER.worker}: {before}: release {OTHER}: activation refused"]
