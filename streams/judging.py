"""One question under one release, from what is known: no reading, no model, no waiting."""

from collections.abc import Mapping
from dataclasses import dataclass

from rule_store import (
    Answered,
    Evidence,
    cast_votes,
    decide,
    settle,
    sum_votes,
    weigh_labels,
)
from streams.active_release import ActiveRelease, ActiveTask
from streams.events import Question
from streams.fusion import (
    DEFAULT_WEIGHTS,
    Fused,
    FusionWeights,
    abstained,
    answered_by_rules,
    fuse,
    weighed_by_rules,
)
from streams.routing import AnswerNow, Defer, route


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An answer or an abstention, and the rules that fired."""

    outcome: Fused
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskModel:
    """Rules abstain, for this reason: the model's probabilities decide, weighed with the votes."""

    reason: str
    votes: Mapping[str, float]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Decides under a release.

    bundle: digest of the model that can be asked; None without one.
    """

    release: ActiveRelease
    bundle: str | None

    @property
    def uses_fitted_weights(self) -> bool:
        """Whether the release was fitted with the model we have; without one nothing is weighed."""
        return self.bundle is None or self.release.bundle == self.bundle

    def early(
        self, question: Question, evidence: Evidence, *, early_answer: bool = True
    ) -> Judged | Defer:
        """Answer what no screenshot could change, defer the rest."""
        task = self.release.tasks[question.task]
        verdict = decide(
            task.rules.evaluate(evidence), reliability=task.reliability, answer_at=task.answer_at
        )
        match route(verdict, early_answer=early_answer):
            case AnswerNow(verdict=answered):
                outcome = answered_by_rules(answered, task.labels)
                return Judged(outcome=outcome, rules=answered.rules)
            case Defer() as deferred:
                return deferred

    def late(self, question: Question, evidence: Evidence) -> Judged | AskModel:
        """Decide with all that could be read, or say that it is for the model.

        Without a model, votes decide what rules do not settle: there is nobody else to ask.
        """
        task = self.release.tasks[question.task]
        evaluation = task.rules.evaluate(evidence)
        verdict = settle(evaluation, reliability=task.reliability, answer_at=task.answer_at)
        fired = tuple(rule.id for rule in evaluation.fired)
        if isinstance(verdict, Answered):
            return Judged(outcome=answered_by_rules(verdict, task.labels), rules=fired)
        votes = cast_votes(evaluation.fired, task.reliability)
        if question.image_id is not None and evidence.read("screen") is None:
            outcome = abstained("image_unread", weigh_labels(votes), task.labels)
            return Judged(outcome=outcome, rules=fired)
        if self.bundle is not None:
            summed = sum_votes(votes, labels=task.labels)
            return AskModel(reason=verdict.reason, votes=summed, rules=fired)
        outcome = weighed_by_rules(
            weigh_labels(votes), task.labels, fuse_at=task.fuse_at, reason=verdict.reason
        )
        return Judged(outcome=outcome, rules=fired)

    def weigh(
        self, question: Question, asked: AskModel, probabilities: Mapping[str, float]
    ) -> Judged:
        """Decide with the model's probabilities.

        Raises:
            ValueError: one of them is not a finite number.
        """
        weights = self._weights(self.release.tasks[question.task])
        return Judged(outcome=fuse(probabilities, asked.votes, weights=weights), rules=asked.rules)

    def _weights(self, task: ActiveTask) -> FusionWeights:
        """The release's weights if they were fitted with our model, else the defaults.

        `answer_at` is always the release's, so that both stages answer the same questions.
        """
        if task.fitted and self.uses_fitted_weights:
            return FusionWeights(
                answer_at=task.answer_at, fuse_at=task.fuse_at, vote_weight=task.vote_weight
            )
        return FusionWeights(
            answer_at=task.answer_at,
            fuse_at=DEFAULT_WEIGHTS.fuse_at,
            vote_weight=DEFAULT_WEIGHTS.vote_weight,
        )
