"""Questions without labels, sorted by task and checked."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rule_store import Evidence
from rule_store.evidence import CHANNELS, FACTS
from rule_store.mining.unlabelled import UnlabelledEvidence
from streams.unlabelled import UnlabelledQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlabelledTask:
    """The unlabelled examples of a task that tell something.

    messages: what is wrong with the others, and what to do about it.
    """

    examples: tuple[UnlabelledEvidence, ...]
    messages: tuple[str, ...]


def unlabelled_of(
    task: str, asked: Iterable[UnlabelledQuestion], *, labelled: Collection[str] = ()
) -> UnlabelledTask:
    """Leave out what was labelled, given twice or not looked at, and say so.

    A labelled dialogue is held out; at another moment, without its label, it would be mined.

    Args:
        task: whose questions are wanted.
        asked: of any task.
        labelled: ids of the dialogues of labelled examples.
    """
    given = [each for each in asked if each.question.task == task]
    fresh = [each for each in given if each.dialogue_id not in labelled]
    known = {(each.example_id, each.question.image_id): each for each in reversed(fresh)}
    single = list(reversed(known.values()))
    read = [each for each in single if _is_read(each.evidence)]
    left_out = (
        (len(given) - len(fresh), "of labelled dialogues: left out; give others"),
        (len(fresh) - len(single), "given more than once: taken once; remove the others"),
        (
            len(single) - len(read),
            "with an unread screen: left out; give the images or their readings",
        ),
    )
    return UnlabelledTask(
        examples=tuple(
            UnlabelledEvidence(
                example_id=each.example_id, dialogue_id=each.dialogue_id, evidence=each.evidence
            )
            for each in read
        ),
        messages=tuple(f"unlabelled examples {why} ({count})" for count, why in left_out if count),
    )


def _is_read(evidence: Evidence) -> bool:
    return all(channel in evidence.texts for channel in CHANNELS) and all(
        fact in evidence.facts for fact in FACTS
    )
