"""Keeps the books of a run: every question asked, and what became of it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from streams.codec import decode_deferred, decode_event
from streams.domain import Domain
from streams.errors import InvalidRecord
from streams.evaluation import weighted_f1
from streams.events import DeadLetter, DialogueEvent, Question, Source, Tag
from streams.questions import questions

_SOURCES: tuple[Source, ...] = ("rules", "model", "fusion", "abstained")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds from sending an event until its tag stood in the topic; None without tags."""

    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run came to.

    missing: questions with neither tag nor dead letter.
    tags: source → questions answered so. model_calls_saved: answered without the model.
    weighted_f1: task → weighted F1 against the known labels; an abstention counts as wrong.
    """

    events: int
    questions: int
    missing: int
    dead_letters: int
    tags: dict[str, int]
    alerts: int
    model_calls_saved: int
    weighted_f1: dict[str, float]
    latency_ms: Latency

    def as_json(self) -> dict[str, object]:
        return asdict(self)


_Asked = tuple[str, Question]


class Accounts:
    """Books of the events sent, the tags, dead letters and alerts that came of them."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._events = 0
        self._sent_ms: dict[str, int] = {}
        self._asked: dict[_Asked, str | None] = {}
        self._tags: dict[_Asked, Tag] = {}
        self._first_ms: dict[_Asked, int] = {}
        self._dead: set[str] = set()
        self._dead_letters = 0
        self._alerts: set[str] = set()
        self.duplicates = 0

    def sent(self, event: DialogueEvent, *, at_ms: int, label: str | None = None) -> None:
        """An event is about to be sent; its questions are owed an answer from now on.

        label: the right answer to the event's task, the first one if it names several.
        """
        self._events += 1
        self._sent_ms[event.event_id] = at_ms
        for question in questions(event, self._domain):
            labelled = not event.tasks or question.task == event.tasks[0]
            self._asked[event.event_id, question] = label if labelled else None

    def tag(self, tag: Tag, *, at_ms: int) -> None:
        """A tag stood in the topic; of several for one question the preferred one counts."""
        asked = (tag.event_id, Question(task=tag.task, image_id=tag.image_id))
        known = self._tags.get(asked)
        if known is not None:
            self.duplicates += 1
        else:
            self._first_ms[asked] = at_ms
        if known is None or _preferred(tag, known):
            self._tags[asked] = tag

    def dead_letter(self, letter: DeadLetter) -> None:
        """A dead letter stood in the topic; it accounts for every question of its event."""
        self._dead_letters += 1
        event_id = _event_id(letter)
        if event_id is not None:
            self._dead.add(event_id)

    def alert(self, alert_id: str) -> None:
        self._alerts.add(alert_id)

    @property
    def asked(self) -> int:
        return len(self._asked)

    @property
    def answered(self) -> int:
        return len(self._asked.keys() & self._tags.keys())

    @property
    def missing(self) -> tuple[tuple[str, Question], ...]:
        """Questions with neither a tag nor a dead letter, in the order they were asked."""
        return tuple(
            asked for asked in self._asked if asked not in self._tags and asked[0] not in self._dead
        )

    def summary(self) -> Summary:
        tags = {asked: tag for asked, tag in self._tags.items() if asked in self._asked}
        sources = Counter(tag.source for tag in tags.values())
        return Summary(
            events=self._events,
            questions=len(self._asked),
            missing=len(self.missing),
            dead_letters=self._dead_letters,
            tags={source: sources[source] for source in _SOURCES},
            alerts=len(self._alerts),
            model_calls_saved=sources["rules"],
            weighted_f1=self._weighted_f1(),
            latency_ms=self._latency(),
        )

    def _weighted_f1(self) -> dict[str, float]:
        right: dict[str, list[str]] = defaultdict(list)
        answers: dict[str, list[str | None]] = defaultdict(list)
        for asked, label in self._asked.items():
            if label is not None:
                tag = self._tags.get(asked)
                right[asked[1].task].append(label)
                answers[asked[1].task].append(tag.label if tag else None)
        return {task: round(weighted_f1(right[task], answers[task]), 4) for task in right}

    def _latency(self) -> Latency:
        waits_ms = sorted(
            at_ms - self._sent_ms[asked[0]]
            for asked, at_ms in self._first_ms.items()
            if asked[0] in self._sent_ms
        )
        return Latency(p50=_quantile(waits_ms, 0.5), p99=_quantile(waits_ms, 0.99))


def _preferred(tag: Tag, known: Tag) -> bool:
    """Not degraded wins over degraded, then the later decision."""
    if (tag.degraded is None) != (known.degraded is None):
        return tag.degraded is None
    return tag.decided_at_ms >= known.decided_at_ms


def _event_id(letter: DeadLetter) -> str | None:
    """The event a dead letter is about, when its bytes still tell."""
    record = letter.record or b""
    for read in (decode_event, lambda raw: decode_event(decode_deferred(raw).record)):
        try:
            return read(record).event_id
        except InvalidRecord:
            continue
    return None


def _quantile(ordered: Sequence[int], share: float) -> float | None:
    """The smallest value that at least `share` of the ordered values do not exceed.

    >>> _quantile([1, 2, 3, 4], 0.5)
    2.0
    """
    if not ordered:
        return None
    position = max(0, -int(-share * len(ordered) // 1) - 1)
    return float(ordered[position])
