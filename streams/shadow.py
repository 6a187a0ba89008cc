"""A release evaluated beside the one in force: nothing follows from it but counts, differences."""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from streams.decided import Decided
from streams.events import Tag
from streams.failures import raised_at
from streams.judging import AskModel, Judge, Judged
from streams.limits import LIMITS
from streams.metrics import Metrics
from streams.routing import Defer
from streams.shadow_records import NO_LABEL, ShadowAnswer, ShadowDifference, ShadowTally

_log = logging.getLogger(__name__)

Outcome = Literal["same", "differs", "open"]

# What waits to be compared: enough for a burst, and too little to trouble the garbage collector.
_WAITING = 2_000
_WAITING_CHARS = 4_000_000
_WHY = ("behind", "release_changed", "failed")


class Shadow:
    """Decides again what was decided, from what was known then; reads nothing, asks no model.

    What is offered waits until somebody has time to compare it; when too much waits, what comes
    next is skipped and counted.

    closed: skip what is offered, however little waits.
    """

    def __init__(
        self,
        *,
        judge: Judge,
        against: str,
        role: str,
        late: bool,
        metrics: Metrics,
        now_ms: Callable[[], int],
    ) -> None:
        """Set up for one pair of releases.

        Args:
            judge: decides under the shadow release.
            against: digest of the release whose decisions are offered.
            role: whose decisions they are.
            late: whether they were made with all that could be read.
            metrics: counts outcomes by label.
            now_ms: the time, for differences.
        """
        self.closed = False
        self.digest = judge.release.digest
        self.against = against
        self._judge = judge
        self._role = role
        self._late = late
        self._questions = metrics.shadow_questions
        self._skipped = {why: metrics.shadow_skipped.labels(why=why) for why in _WHY}
        self._now_ms = now_ms
        self._waiting: deque[Decided] = deque()
        self._waiting_chars = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    @property
    def waiting(self) -> int:
        """How many decisions wait to be compared."""
        return len(self._waiting)

    def offer(self, decided: Iterable[Decided]) -> None:
        """Take decisions in, as far as there is room."""
        for each in decided:
            if each.tag.release != self.against:
                self._skip([each], "release_changed")
            elif self.closed or self._is_full():
                self._skip([each], "behind")
            else:
                self._waiting.append(each)
                self._waiting_chars += _chars(each)

    def _is_full(self) -> bool:
        return len(self._waiting) >= _WAITING or self._waiting_chars >= _WAITING_CHARS

    def compare_next(self) -> ShadowDifference | None:
        """Compare the decision that has waited longest; None when the shadow says the same.

        Raises:
            IndexError: none waits.
        """
        decided = self._waiting.popleft()
        self._waiting_chars -= _chars(decided)
        try:
            again = self._decide_again(decided)
            outcome = _outcome(decided.tag, again)
            difference = None if outcome == "same" else self._difference(decided.tag, again)
        except Exception as error:  # noqa: BLE001 - no release may harm the one in force
            kind, place = type(error).__name__, raised_at(error)
            _log.warning("the shadow %s failed: %s at %s", self.digest, kind, place)
            self._skip([decided], "failed")
            return None
        self._count(decided.tag, outcome)
        return difference

    def _decide_again(self, decided: Decided) -> Judged | Defer:
        question, evidence = decided.question, decided.evidence
        if not self._late:
            return self._judge.early(question, evidence)
        judged = self._judge.late(question, evidence)
        if isinstance(judged, AskModel):
            if decided.probabilities is None:
                return Defer(reason=judged.reason)
            return self._judge.weigh(question, judged, decided.probabilities)
        return judged

    def _difference(self, tag: Tag, again: Judged | Defer) -> ShadowDifference:
        judged = again if isinstance(again, Judged) else None
        return ShadowDifference(
            domain=tag.domain,
            role=self._role,
            event_id=tag.event_id,
            dialogue_id=tag.dialogue_id,
            turn_index=tag.turn_index,
            sent_at_ms=tag.sent_at_ms,
            task=tag.task,
            image_id=tag.image_id,
            active=self.against,
            shadow=self.digest,
            answered=ShadowAnswer(
                label=tag.label,
                confidence=tag.confidence,
                source=tag.source,
                reason=tag.reason,
                rules=tag.rules,
            ),
            instead=None if judged is None else _answer(judged),
            open_reason=again.reason if isinstance(again, Defer) else None,
            compared_at_ms=self._now_ms(),
        )

    def _count(self, tag: Tag, outcome: Outcome) -> None:
        self._counts[tag.task, outcome] += 1
        label = tag.label or NO_LABEL
        self._questions.labels(task=tag.task, label=label, outcome=outcome).inc()

    def _skip(self, decided: Sequence[Decided], why: str) -> None:
        for each in decided:
            self._counts[each.question.task, "skipped"] += 1
        self._skipped[why].inc(len(decided))

    def take_tallies(self) -> tuple[ShadowTally, ...]:
        """What was counted since this was asked last, by task."""
        counts, self._counts = self._counts, Counter()
        return tuple(
            ShadowTally(
                task=task,
                same=counts[task, "same"],
                differs=counts[task, "differs"],
                open=counts[task, "open"],
                skipped=counts[task, "skipped"],
            )
            for task in dict.fromkeys(task for task, _ in counts)
        )

    def abandon(self) -> None:
        """Compare nothing more: what waits is skipped."""
        self._skip(tuple(self._waiting), "release_changed")
        self._waiting.clear()
        self._waiting_chars = 0


def _outcome(tag: Tag, again: Judged | Defer) -> Outcome:
    if isinstance(again, Defer):
        return "open"
    return "same" if again.outcome.label == tag.label else "differs"


def _answer(judged: Judged) -> ShadowAnswer:
    outcome = judged.outcome
    return ShadowAnswer(
        label=outcome.label,
        confidence=outcome.confidence,
        source=outcome.source,
        reason=outcome.reason,
        rules=judged.rules[: LIMITS.rules_per_tag],
    )


def _chars(decided: Decided) -> int:
    return sum(map(len, decided.evidence.texts.values()))
