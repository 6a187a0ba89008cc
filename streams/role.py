"""What the three roles share: records in, outputs out, and what becomes of a failing record."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from streams.active_release import ActiveRelease
from streams.errors import InvalidRecord
from streams.failures import Failures, raised_at
from streams.judging import Judge
from streams.metrics import Metrics
from streams.progress import Progress
from streams.records import Output, Record, dead_letter_output
from streams.settings import RoleName
from streams.shadow import Shadow
from streams.topics import Kind

_log = logging.getLogger(__name__)

Outputs = tuple[Output, ...]


def never() -> bool:
    """Nobody takes the records away."""
    return False


class Role(ABC):
    """One role's decision; it knows records and outputs, and no Kafka client.

    name, source: the role and the topic it reads.
    needs_release: whether it can work before a release is active.
    reads_screens: whether it decides with all that can be read.
    shadow: what is evaluated beside the release in force; None when nothing is.
    ended_shadows: those before it whose counts nobody has taken yet.
    """

    name: RoleName
    source: Kind
    needs_release: bool = True
    reads_screens: bool = False

    def __init__(self, *, metrics: Metrics, failures: Failures, now_ms: Callable[[], int]) -> None:
        self.metrics = metrics
        self.failures = failures
        self.now_ms = now_ms
        self.progress = Progress()
        self.shadow: Shadow | None = None
        self.ended_shadows: list[Shadow] = []

    @abstractmethod
    async def decide(
        self, records: Sequence[Record], *, abandoned: Callable[[], bool] = never
    ) -> list[Outputs]:
        """Decide the records in order, or a prefix of them when too many fail or all are abandoned.

        `abandoned` is asked before each record begins: whether another worker has them now.

        Nothing a record holds makes this raise: what cannot be decided becomes a dead letter.
        """

    def use(self, release: ActiveRelease) -> str | None:
        """Decide what comes next under this release; what is in flight keeps its own.

        Returns:
            What an operator should know of it, if anything.
        """
        return None  # a role that needs no release is given none

    def use_shadow(self, release: ActiveRelease | None, *, against: str) -> None:
        """Evaluate this release too, without effect; None ends it.

        Args:
            release: what is evaluated.
            against: digest of the release in force, whose answers it is held against.
        """
        self.end_shadow()
        if release is None:
            return
        self.shadow = Shadow(
            judge=Judge(release=release, bundle=self.bundle),
            against=against,
            role=self.name,
            late=self.reads_screens,
            metrics=self.metrics,
            now_ms=self.now_ms,
        )

    def end_shadow(self) -> None:
        """Compare nothing more with the shadow, if there is one; its counts are yet to be told."""
        if self.shadow is not None:
            self.shadow.abandon()
            self.ended_shadows.append(self.shadow)
            self.shadow = None

    @property
    def bundle(self) -> str | None:
        """Digest of the bundle that it asks; None without one, or before a release."""
        return None

    @property
    def uses_fitted_weights(self) -> bool | None:
        """Whether the release in force was fitted with that bundle; None without one."""
        return None

    async def start(self) -> None:  # noqa: B027 - most roles load nothing
        """Load what the role needs, before the first record."""

    async def stop(self) -> None:  # noqa: B027 - likewise
        """Let go of what `start` took."""

    def note_decided(self) -> None:
        """A valid record was decided: it counts as no failure, and as progress."""
        self.failures.add(failed=False)
        self.progress.mark()

    def dead_letter(self, record: Record, error: Exception) -> Outputs:
        """The dead letter for a record that raised; ours to answer for unless it was invalid."""
        self.progress.mark()
        if isinstance(error, InvalidRecord):
            reason, detail = error.reason, error.detail
        else:
            self.failures.add(failed=True)
            reason, detail = "failed", f"{type(error).__name__} in the {self.name}"
            # The exception's text may quote the record; type and place do not.
            _log.error(
                "record failed in our own code: %s at %s[%d]@%d, raised at %s",
                type(error).__name__,
                record.topic,
                record.partition,
                record.offset,
                raised_at(error),
            )
        self.metrics.dead_letters.labels(reason=reason).inc()
        letter = dead_letter_output(
            record, reason=reason, detail=detail, role=self.name, now_ms=self.now_ms()
        )
        return (letter,)


def system_now_ms() -> int:
    """Milliseconds since the epoch by the system's clock."""
    return time.time_ns() // 1_000_000
