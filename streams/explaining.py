"""Events → why each of their questions is answered by rules, or is not; without Kafka or model."""

from collections.abc import Mapping
from dataclasses import dataclass

from rule_store import Evidence, Explanation, RuleSet, Verdict, evaluate, explain, settle
from streams.active_release import ActiveRelease
from streams.domain import Domain
from streams.events import DialogueEvent, Question
from streams.evidence import evidence_for
from streams.fusion import Fused
from streams.judging import AskModel, Judge, Judged
from streams.questions import images_read_for, questions
from streams.screens import Screens


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedQuestion:
    """A question, what the rules say to it, and why.

    verdict: with every screen read that can be; what it leaves open is for the model.
    without_model: what is answered where there is none.
    """

    question: Question
    evidence: Evidence
    verdict: Verdict
    without_model: Fused
    explanation: Explanation


async def explain_event(
    event: DialogueEvent,
    *,
    domain: Domain,
    release: ActiveRelease,
    screens: Screens,
    rule_sets: Mapping[str, RuleSet] | None = None,
) -> tuple[ExplainedQuestion, ...]:
    """Explain every question of an event as the resolver's stage sees it.

    Args:
        event: the dialogue.
        domain: decides what is asked.
        release: decides the verdict.
        screens: reads the images.
        rule_sets: the release's rules as their author wrote them, notes included.

    Raises:
        InvalidRecord: an event or image that no worker would take.
    """
    asked = questions(event, domain)
    wanted = {
        image.image_id: image for question in asked for image in images_read_for(question, event)
    }
    read = await screens.read_all(tuple(wanted.values()))
    judge = Judge(release=release, bundle=None)
    explained = []
    for question in asked:
        task = release.tasks[question.task]
        rule_set = (rule_sets or {}).get(question.task, task.rule_set)
        evidence = evidence_for(question, event, read)
        evaluation = evaluate(rule_set, evidence, release.lexicon)
        explained.append(
            ExplainedQuestion(
                question=question,
                evidence=evidence,
                verdict=settle(evaluation, reliability=task.reliability, answer_at=task.answer_at),
                without_model=_without_model(judge, question, evidence),
                explanation=explain(rule_set, evidence, release.lexicon),
            )
        )
    return tuple(explained)


def _without_model(judge: Judge, question: Question, evidence: Evidence) -> Fused:
    match judge.late(question, evidence):
        case Judged(outcome=outcome):
            return outcome
        case AskModel():
            raise RuntimeError("a judge without a bundle asks no model")
