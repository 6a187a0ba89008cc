"""What workers say of themselves, weighed: who lives, and who runs another release than wanted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rule_store import Activation
from streams.events import WorkerStatus
from streams.limits import LIMITS

# A worker that misses one or two of its words may be busy; then it is gone.
_INTERVALS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker by its last word.

    gone: it stopped, or has been silent for too long.
    active: the activation for its domain and labels; None when there is none, or it needs none.
    """

    status: WorkerStatus
    gone: bool
    active: Activation | None

    @property
    def wanted(self) -> str | None:
        """Digest of the release that it should run."""
        return None if self.active is None else self.active.digest

    @property
    def differs(self) -> bool:
        """Whether it does not run the active release, or needs one and none is active."""
        if self.status.labels_digest is None:
            return False
        running = self.status.in_force
        return running is None or running.digest != self.wanted

    @property
    def missing_shadow(self) -> str | None:
        """Digest of the shadow that it should evaluate and does not."""
        running, active = self.status.in_force, self.active
        if running is None or active is None or running.digest != active.digest:
            return None
        # A worker may have said so after the topic was read: then it knows better.
        known = running.sequence > active.sequence or running.shadow == active.shadow
        return None if known else active.shadow


def latest(statuses: Iterable[WorkerStatus]) -> list[WorkerStatus]:
    """The last word of every worker, in the order of their names."""
    by_worker = {status.worker: status for status in statuses}
    return [by_worker[name] for name in sorted(by_worker)]


def weigh(
    statuses: Iterable[WorkerStatus], active: Mapping[str, Activation], *, now_ms: int
) -> list[Worker]:
    """Hold the last word of every worker against the clock and against what is active.

    Args:
        statuses: the records of `workers.status`, in their order.
        active: `active/<domain>/<labels digest>` → the activation that workers obey.
        now_ms: the time.
    """
    return [
        Worker(
            status=status,
            gone=status.stopped or now_ms - status.at_ms > _INTERVALS * status.interval_ms,
            active=active.get(f"active/{status.domain}/{status.labels_digest}"),
        )
        for status in latest(statuses)
    ]


def followers(activation: Activation, workers: Iterable[Worker]) -> list[Worker]:
    """The live workers that are to obey an activation: those of its domain and labels."""
    return [each for each in workers if not each.gone and each.active == activation]


def deserted(active: Iterable[Activation], workers: Sequence[Worker]) -> list[Activation]:
    """Of each domain the activation that came last, when it has no live worker.

    Earlier ones, for other labels, may have lost theirs for good when the labels changed.
    """
    last: dict[str, Activation] = {}
    for each in sorted(active, key=lambda activation: activation.at_ms):
        last[each.domain] = each
    return [each for each in last.values() if not followers(each, workers)]


def bounded(text: str) -> str:
    """A sentence that a status may carry."""
    return text if len(text) <= LIMITS.detail_chars else text[: LIMITS.detail_chars - 1] + "…"
