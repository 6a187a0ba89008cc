"""The whole decision without Kafka; workers, `kdsl tag`, replay and tests all run this."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from inference.inputs import LabelScores, ModelInput
from rule_store import Answered, Evidence, decide, settle, votes
from streams.active_release import ActiveRelease, ActiveTask
from streams.domain import Domain
from streams.events import DialogueEvent, OpenQuestion, Question, Tag
from streams.evidence import said_in, with_screens
from streams.fusion import (
    DEFAULT_WEIGHTS,
    Fused,
    FusionWeights,
    abstained,
    answered_by_rules,
    fuse,
)
from streams.image_checks import inspect_image
from streams.image_uris import AllowedUris
from streams.limits import LIMITS
from streams.model_input import model_input
from streams.questions import images_read_for, questions
from streams.routing import AnswerNow, Defer, route
from streams.screens import ReadImage, Screens


class Scorer(Protocol):
    """The model as the pipeline sees it; `inference.classifier.Classifier` is one."""

    @property
    def digest(self) -> str: ...

    async def score(self, model_input: ModelInput) -> LabelScores: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """The tagger's share of an event: tags for what it answered, the rest open."""

    tags: tuple[Tag, ...]
    open_questions: tuple[OpenQuestion, ...]


class Pipeline:
    """Decides under one release; a new release is a new pipeline.

    Two stages: `tag` reads texts only and answers what no screenshot could change; `resolve`
    reads the screenshots, asks the rules again and, where they abstain, the model.
    """

    def __init__(
        self,
        *,
        domain: Domain,
        release: ActiveRelease,
        screens: Screens | None = None,
        model: Scorer | None = None,
        allowed: AllowedUris | None = None,
        early_answer: bool = True,
    ) -> None:
        """Set up for one release.

        Args:
            domain: whose events are decided.
            release: what decides.
            screens: reads screenshots; None leaves every image unread.
            model: answers what rules do not; None leaves it to abstain.
            allowed: addresses of images that an event may name; None allows none.
            early_answer: False leaves every question to the resolver's stage.
        """
        self.domain = domain
        self.release = release
        self._allowed = allowed or AllowedUris.of(())
        self._screens = screens
        self._model = model
        self._early_answer = early_answer

    @property
    def bundle(self) -> str | None:
        """Digest of the model's bundle; None without a model."""
        return None if self._model is None else self._model.digest

    @property
    def uses_fitted_weights(self) -> bool:
        """Whether the release was fitted with the model we have; without one nothing is weighed."""
        return self._model is None or self.release.bundle == self._model.digest

    def tag(self, event: DialogueEvent) -> Tagged:
        """The tagger's stage: answer what is certain without screenshots, defer the rest.

        Raises:
            InvalidRecord: the event can never be answered; it is a dead letter.
        """
        asked = questions(event, self.domain)
        self._inspect_images(event)
        said = said_in(event)
        tags: list[Tag] = []
        still_open: list[OpenQuestion] = []
        for question in asked:
            task = self.release.tasks[question.task]
            evidence = with_screens(said, question, event, {})
            evaluation = task.rules.evaluate(evidence)
            verdict = decide(evaluation, reliability=task.reliability, answer_at=task.answer_at)
            match route(verdict, early_answer=self._early_answer):
                case AnswerNow(verdict=answered):
                    outcome = answered_by_rules(answered, task.labels)
                    tags.append(self._tag(event, question, outcome, answered.rules))
                case Defer(reason=reason):
                    still_open.append(OpenQuestion(question=question, reason=reason))
        return Tagged(tags=tuple(tags), open_questions=tuple(still_open))

    def _inspect_images(self, event: DialogueEvent) -> None:
        """Refuse now what the resolver would refuse later, whether or not rules would answer.

        Raises:
            ImageRejected: an address that is not allowed, or bytes that are no image in bounds.
        """
        for turn in event.turns:
            for image in turn.images:
                if image.content is not None:
                    inspect_image(image.content, sha256=image.sha256, media_type=image.media_type)
                elif image.uri is not None:
                    self._allowed.check(image.uri)

    async def resolve(self, event: DialogueEvent, asked: Sequence[Question]) -> tuple[Tag, ...]:
        """The resolver's stage: decide every question afresh and wholly under this release.

        Raises:
            InvalidRecord: an image cannot be evidence; the event is a dead letter.
        """
        wanted = {
            image.image_id: image
            for question in asked
            for image in images_read_for(question, event)
        }
        screens = await self._screens.read_all(tuple(wanted.values())) if self._screens else {}
        said = said_in(event)
        return tuple(
            await asyncio.gather(
                *(self._resolve(event, question, said, screens) for question in asked)
            )
        )

    async def _resolve(
        self,
        event: DialogueEvent,
        question: Question,
        said: Evidence,
        screens: dict[str, ReadImage],
    ) -> Tag:
        task = self.release.tasks[question.task]
        evidence = with_screens(said, question, event, screens)
        evaluation = task.rules.evaluate(evidence)
        verdict = settle(evaluation, reliability=task.reliability, answer_at=task.answer_at)
        fired = tuple(rule.id for rule in evaluation.fired)
        if isinstance(verdict, Answered):
            return self._tag(event, question, answered_by_rules(verdict, task.labels), fired)
        weights = self._weights(task)
        spoken = votes(evaluation.fired, task.reliability, labels=task.labels)
        if question.image_id is not None and question.image_id not in screens:
            outcome = abstained(
                "image_unread", task.labels, spoken, vote_weight=weights.vote_weight
            )
        elif self._model is None:
            outcome = abstained(
                verdict.reason, task.labels, spoken, vote_weight=weights.vote_weight
            )
        else:
            # Decoding pixels takes milliseconds: not on the event loop.
            given = await asyncio.to_thread(model_input, question, event, evidence, screens)
            scores = await self._model.score(given)
            probabilities = dict(zip(scores.labels, scores.probabilities, strict=True))
            outcome = fuse(probabilities, spoken, weights=weights)
        return self._tag(event, question, outcome, fired)

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

    def _tag(
        self,
        event: DialogueEvent,
        question: Question,
        outcome: Fused,
        rules: tuple[str, ...],
    ) -> Tag:
        asked_model = outcome.source in ("model", "fusion") or outcome.reason == "low_confidence"
        return Tag(
            domain=event.domain,
            event_id=event.event_id,
            dialogue_id=event.dialogue_id,
            turn_index=event.turn_index,
            sent_at_ms=event.sent_at_ms,
            task=question.task,
            image_id=question.image_id,
            label=outcome.label,
            confidence=outcome.confidence,
            candidates=outcome.candidates,
            source=outcome.source,
            reason=outcome.reason,
            degraded=None,
            rules=rules[: LIMITS.rules_per_tag],
            release=self.release.digest,
            bundle=self._model.digest if asked_model and self._model else None,
        )
