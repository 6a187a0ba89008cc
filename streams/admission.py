"""The admission split under two releases: what the gate compares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inference.bundle import Bundle
from inference.inputs import LabelScores, ModelInput
from rule_store import cast_votes
from rule_store.folds import is_admission
from rule_store.mining.compared import Compared, GateAnswer
from streams.active_release import ActiveRelease
from streams.judging import AskModel, Judge
from streams.labelled import LabelledQuestion

Probabilities = Mapping[str, float]
Ask = Callable[[ModelInput], LabelScores]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Labelled questions: those to learn from, and those that only the gate may read."""

    learn: tuple[LabelledQuestion, ...]
    admission: tuple[LabelledQuestion, ...]

    @classmethod
    def of(cls, labelled: Sequence[LabelledQuestion]) -> "Split":
        held = [is_admission(each.dialogue_id) for each in labelled]
        return cls(
            learn=tuple(each for each, out in zip(labelled, held, strict=True) if not out),
            admission=tuple(each for each, out in zip(labelled, held, strict=True) if out),
        )


def held_out_probabilities(
    bundle: Bundle, ask: Ask, questions: Sequence[LabelledQuestion]
) -> list[Probabilities]:
    """What a model that did not learn from it says of each question.

    Args:
        bundle: of an example of its training it knows what the training held out.
        ask: the model itself, for all others.
        questions: of the admission split.
    """
    known = {(each.example_id, each.task): each for each in bundle.out_of_fold()}
    answers: list[Probabilities] = []
    for each in questions:
        task = each.question.task
        row = known.get((each.example_id, task))
        if row is not None:
            answers.append(dict(zip(bundle.labels(task), row.probabilities, strict=True)))
        else:
            scores = ask(each.input)
            answers.append(dict(zip(scores.labels, scores.probabilities, strict=True)))
    return answers


def compare(
    questions: Sequence[LabelledQuestion],
    *,
    candidate: ActiveRelease,
    active: ActiveRelease | None,
    bundle: str | None,
    probabilities: Sequence[Probabilities] | None,
) -> tuple[Compared, ...]:
    """Decide each question under both releases, with everything read.

    Args:
        questions: of the admission split.
        candidate: the new release.
        active: the one in force, if any.
        bundle: digest of the model that workers ask; None without one.
        probabilities: what it says of each question; None without one.
    """
    new = Judge(release=candidate, bundle=bundle)
    old = None if active is None else Judge(release=active, bundle=bundle)
    said = probabilities or [{}] * len(questions)
    return tuple(
        Compared(
            example_id=each.example_id,
            dialogue_id=each.dialogue_id,
            task=each.question.task,
            label=each.label,
            candidate=_answer(new, each, asked),
            active=None if old is None else _answer(old, each, asked),
        )
        for each, asked in zip(questions, said, strict=True)
    )


def _answer(judge: Judge, each: LabelledQuestion, said: Probabilities) -> GateAnswer:
    judged = judge.late(each.question, each.evidence)
    if isinstance(judged, AskModel):
        judged = judge.weigh(each.question, judged, said)
    task = judge.release.tasks[each.question.task]
    fired = task.rules.evaluate(each.evidence).fired
    return GateAnswer(label=judged.outcome.label, votes=cast_votes(fired, task.reliability))
