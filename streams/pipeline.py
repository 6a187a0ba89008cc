"""The whole decision without Kafka; workers, `kdsl tag`, replay and tests all run this."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from inference.inputs import LabelScores, ModelInput
from rule_store import Evidence
from streams.active_release import ActiveRelease
from streams.decided import Decided
from streams.domain import Domain
from streams.events import DialogueEvent, OpenQuestion, Question, Tag
from streams.evidence import said_in, with_screens
from streams.image_checks import inspect_image
from streams.image_uris import AllowedUris
from streams.judging import AskModel, Judge, Judged
from streams.limits import LIMITS
from streams.model_input import model_input
from streams.questions import images_read_for, questions
from streams.routing import Defer
from streams.screens import ReadImage, Screens


class Scorer(Protocol):
    """The model as the pipeline sees it; `inference.classifier.Classifier` is one."""

    @property
    def digest(self) -> str: ...

    async def score(self, model_input: ModelInput) -> LabelScores: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """The tagger's share of an event: tags for what it answered, the rest open."""

    decided: tuple[Decided, ...]
    open_questions: tuple[OpenQuestion, ...]

    @property
    def tags(self) -> tuple[Tag, ...]:
        return tuple(each.tag for each in self.decided)


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
        self.judge = Judge(release=release, bundle=None if model is None else model.digest)
        self._allowed = allowed or AllowedUris.of(())
        self._screens = screens
        self._model = model
        self._early_answer = early_answer

    @property
    def release(self) -> ActiveRelease:
        return self.judge.release

    @property
    def bundle(self) -> str | None:
        """Digest of the model's bundle; None without a model."""
        return self.judge.bundle

    def tag(self, event: DialogueEvent) -> Tagged:
        """The tagger's stage: answer what is certain without screenshots, defer the rest.

        Raises:
            InvalidRecord: the event can never be answered; it is a dead letter.
        """
        asked = questions(event, self.domain)
        self._inspect_images(event)
        said = said_in(event)
        decided: list[Decided] = []
        still_open: list[OpenQuestion] = []
        for question in asked:
            evidence = with_screens(said, question, event, {})
            match self.judge.early(question, evidence, early_answer=self._early_answer):
                case Judged() as judged:
                    tag = self._tag(event, question, judged)
                    decided.append(Decided(tag=tag, question=question, evidence=evidence))
                case Defer(reason=reason):
                    still_open.append(OpenQuestion(question=question, reason=reason))
        return Tagged(decided=tuple(decided), open_questions=tuple(still_open))

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

    async def resolve(self, event: DialogueEvent, asked: Sequence[Question]) -> tuple[Decided, ...]:
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
    ) -> Decided:
        evidence = with_screens(said, question, event, screens)
        judged = self.judge.late(question, evidence)
        probabilities = None
        if isinstance(judged, AskModel):
            if self._model is None:
                raise RuntimeError("a judge without a bundle asks no model")
            # Decoding pixels takes milliseconds: not on the event loop.
            given = await asyncio.to_thread(model_input, question, event, evidence, screens)
            scores = await self._model.score(given)
            probabilities = dict(zip(scores.labels, scores.probabilities, strict=True))
            judged = self.judge.weigh(question, judged, probabilities)
        return Decided(
            tag=self._tag(event, question, judged, asked_model=probabilities is not None),
            question=question,
            evidence=evidence,
            probabilities=probabilities,
        )

    def _tag(
        self, event: DialogueEvent, question: Question, judged: Judged, *, asked_model: bool = False
    ) -> Tag:
        outcome = judged.outcome
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
            rules=judged.rules[: LIMITS.rules_per_tag],
            release=self.release.digest,
            bundle=self.bundle if asked_model else None,
        )
