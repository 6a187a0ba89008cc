"""What became of a stream: lost, doubled, out of order, or as it should be."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from streams.codec import decode_dead_letter, decode_deferred, decode_event, decode_tag
from streams.domain import Domain
from streams.errors import InvalidRecord
from streams.events import DialogueEvent, Question
from streams.questions import questions
from streams.records import Record

Asked = tuple[str, Question]
Kind = Literal["tagger's tag", "deferred", "resolver's tag"]
Where = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Everything that stood in the output topics, each partition in its order."""

    tags: Sequence[Record] = ()
    deferred: Sequence[Record] = ()
    dead_letters: Sequence[Record] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question's answer where it stood: partition and dialogue."""

    kind: Kind
    where: Where
    asked: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a stream.

    sent: events. asked: their questions. answered: by a tag or, without a resolver, deferred.
    dead_letters: records given up, with their reason.
    missing: questions with neither an answer nor a dead letter.
    duplicates: answers beyond the first, all recognisable: by `tag_id`, or as the same question.
    unknown: answers to what nobody asked, so to nothing a reader could recognise.
    reordered: first answers that stand behind the answer to a later event of their dialogue.
    uncommitted: records between a group's commits and the ends of its logs.
    """

    sent: int
    asked: int
    answered: int
    dead_letters: int
    missing: tuple[Asked, ...]
    duplicates: int
    unknown: int
    reordered: int
    uncommitted: int

    @property
    def in_order(self) -> bool:
        """Whether nothing is missing, misplaced, made up or left."""
        return not (self.missing or self.unknown or self.reordered or self.uncommitted)

    def __str__(self) -> str:
        return (
            f"{self.sent} events sent, {self.asked} questions asked, {self.answered} answered, "
            f"{len(self.missing)} missing, {self.dead_letters} dead letters, "
            f"{self.duplicates} duplicates, {self.unknown} unknown, {self.reordered} reordered, "
            f"{self.uncommitted} not committed"
        )


def verify(
    sent: Sequence[DialogueEvent],
    outputs: Outputs,
    *,
    domain: Domain,
    uncommitted: int,
    resolving: bool,
) -> Report:
    """Hold what came out against what was sent.

    Args:
        sent: every event, in the order sent.
        outputs: read when nothing moved any more.
        domain: says what an event asks.
        uncommitted: records that some group has not committed.
        resolving: a resolver ran; else a deferred question counts as answered.
    """
    asked = {
        (event.event_id, question): number
        for number, event in enumerate(sent)
        for question in questions(event, domain)
    }
    found = answers(outputs)
    given = {answer.asked for answer in found if not (resolving and answer.kind == "deferred")}
    dead = given_up(outputs)
    times = Counter((answer.kind, answer.asked) for answer in found)
    return Report(
        sent=len(sent),
        asked=len(asked),
        answered=len(given & asked.keys()),
        dead_letters=len(outputs.dead_letters),
        missing=tuple(each for each in asked if each not in given and each[0] not in dead),
        duplicates=sum(times.values()) - len(times),
        unknown=sum(answer.asked not in asked for answer in found),
        reordered=_reordered(found, asked),
        uncommitted=uncommitted,
    )


def answers(outputs: Outputs) -> list[Answer]:
    """What the outputs say to which question; the resolver has answered what was deferred."""
    deferred = list(_deferred(outputs.deferred))
    open_questions = {answer.asked for answer in deferred}
    tags = []
    for record in outputs.tags:
        tag = decode_tag(record.value or b"")  # refuses a tag whose `tag_id` is not its question's
        asked = (tag.event_id, Question(task=tag.task, image_id=tag.image_id))
        kind: Kind = "resolver's tag" if asked in open_questions else "tagger's tag"
        where = (record.partition, tag.dialogue_id)
        tags.append(Answer(kind=kind, where=where, asked=asked))
    return deferred + tags


def _deferred(records: Iterable[Record]) -> Iterator[Answer]:
    for record in records:
        deferred = decode_deferred(record.value or b"")
        event = decode_event(deferred.record)
        where = (record.partition, event.dialogue_id)
        for each in deferred.questions:
            yield Answer(kind="deferred", where=where, asked=(event.event_id, each.question))


def given_up(outputs: Outputs) -> set[str]:
    """The events that dead letters give up."""
    return {event_id for record in outputs.dead_letters for event_id in _events_of(record)}


def _events_of(record: Record) -> tuple[str, ...]:
    """The event that a dead letter gives up, when its bytes still tell."""
    original = decode_dead_letter(record.value or b"").record or b""
    with suppress(InvalidRecord):
        return (decode_event(original).event_id,)
    with suppress(InvalidRecord):
        return (decode_event(decode_deferred(original).record).event_id,)
    return ()


def _reordered(answers: Iterable[Answer], asked: Mapping[Asked, int]) -> int:
    """First answers behind a later event's first answer; a redelivery repeats, and is no first."""
    seen: set[tuple[Kind, Asked]] = set()
    latest: dict[tuple[Kind, Where], int] = defaultdict(int)
    reordered = 0
    for answer in answers:
        number = asked.get(answer.asked)
        if number is None or (answer.kind, answer.asked) in seen:
            continue
        seen.add((answer.kind, answer.asked))
        here = (answer.kind, answer.where)
        reordered += number < latest[here]
        latest[here] = max(number, latest[here])
    return reordered
