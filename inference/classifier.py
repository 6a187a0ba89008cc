"""The model side as one object: questions in, label probabilities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from inference.batcher import MicroBatcher
from inference.bundle import Bundle, load_bundle
from inference.calibration import calibrate
from inference.compact.features import FeatureSpace, from_json
from inference.compact.observed import Observer
from inference.errors import InvalidBundle, UnknownTask
from inference.inputs import LabelScores, ModelInput
from inference.session import Provider, Session, open_session

RECIPES = ("compact",)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scorer:
    """One task's way from questions to probabilities."""

    labels: tuple[str, ...]
    temperature: float
    observer: Observer
    space: FeatureSpace
    session: Session

    def score(self, questions: Sequence[ModelInput]) -> list[LabelScores]:
        vectors = self.space.vectors([self.observer.observe(each) for each in questions])
        probabilities = calibrate(self.session.run(vectors), self.temperature)
        return [
            LabelScores(labels=self.labels, probabilities=tuple(row))
            for row in probabilities.tolist()
        ]


class Classifier:
    """Answers the questions of one bundle.

    `score_batch` is for callers with their own thread; `score` is for many coroutines at once.
    """

    def __init__(self, bundle: Bundle, scorers: Mapping[str, _Scorer], *, max_batch: int) -> None:
        """Use `Classifier.open`."""
        self.bundle = bundle
        self._scorers = scorers
        self._batcher: MicroBatcher[ModelInput, LabelScores] = MicroBatcher(
            self.score_each, max_batch=max_batch
        )

    @classmethod
    def open(
        cls,
        bundle_path: Path | str,
        *,
        provider: Provider = "cpu",
        threads: int = 1,
        max_batch: int = 32,
    ) -> Classifier:
        """Verify a bundle, load its graphs and score one empty question a task.

        Raises:
            InvalidBundle: the folder is not what its manifest says, or of an unknown recipe.
            MissingExtra: ONNX Runtime is not installed.
            ProviderUnavailable: the provider did not load.
        """
        bundle = load_bundle(bundle_path)
        if bundle.recipe not in RECIPES:
            cure = f"this kdsl serves {', '.join(RECIPES)}"
            raise InvalidBundle(bundle.path, f"is of recipe {bundle.recipe!r}", cure=cure)
        scorers = {
            name: _open_scorer(bundle, name, provider=provider, threads=threads)
            for name in bundle.tasks
        }
        return cls(bundle, scorers, max_batch=max_batch)

    @property
    def digest(self) -> str:
        """The bundle's digest, `sha256:<hex>`."""
        return self.bundle.digest

    @property
    def labels_digest(self) -> str:
        return self.bundle.labels_digest

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self._scorers)

    def labels(self, task: str) -> tuple[str, ...]:
        return self.bundle.labels(task)

    def score_batch(self, inputs: Sequence[ModelInput]) -> list[LabelScores]:
        """Score questions of any tasks, in their order.

        Raises:
            UnknownTask: the bundle does not answer the task of one of them.
        """
        scores = []
        for answer in self.score_each(inputs):
            if isinstance(answer, Exception):
                raise answer
            scores.append(answer)
        return scores

    def score_each(self, inputs: Sequence[ModelInput]) -> list[LabelScores | Exception]:
        """Like `score_batch`, with an error in the place of the question it belongs to."""
        answers: dict[int, LabelScores | Exception] = {}
        for task in dict.fromkeys(question.task for question in inputs):
            places = [at for at, question in enumerate(inputs) if question.task == task]
            answers |= zip(
                places, self._score_task(task, [inputs[at] for at in places]), strict=True
            )
        return [answers[at] for at in range(len(inputs))]

    async def score(self, question: ModelInput) -> LabelScores:
        """Score one question, together with those of other callers."""
        return await self._batcher.submit(question)

    async def close(self) -> None:
        """Refuse what still waits and end the scoring thread."""
        await self._batcher.close()

    async def __aenter__(self) -> Classifier:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _score_task(
        self, task: str, questions: Sequence[ModelInput]
    ) -> Sequence[LabelScores | Exception]:
        scorer = self._scorers.get(task)
        if scorer is None:
            return [UnknownTask(task, self.tasks) for _ in questions]
        try:
            return scorer.score(questions)
        except Exception as error:  # noqa: BLE001 - the edge: one odd question must not fail others
            if len(questions) == 1:
                return [error]
        return [answer for each in questions for answer in self._score_task(task, [each])]


def _open_scorer(bundle: Bundle, task: str, *, provider: Provider, threads: int) -> _Scorer:
    entry = bundle.task(task)
    try:
        space, knowledge = from_json(bundle.read(entry.features))
    except ValueError as error:
        raise InvalidBundle(bundle.path / entry.features, str(error)) from error
    scorer = _Scorer(
        labels=entry.labels,
        temperature=entry.temperature,
        observer=Observer(knowledge),
        space=space,
        session=open_session(bundle.read(entry.graph), provider=provider, threads=threads),
    )
    if scorer.session.width not in (None, space.width):
        problem = f"takes {scorer.session.width} features, {entry.features} gives {space.width}"
        raise InvalidBundle(bundle.path / entry.graph, problem)
    warm = scorer.session.run(space.vectors([]))
    if warm.shape[1:] == (len(entry.labels),):
        scorer.score([ModelInput(task=task, texts={})])
        return scorer
    problem = f"gives {warm.shape[1:]} scores a question, the task has {len(entry.labels)} labels"
    raise InvalidBundle(bundle.path / entry.graph, problem)
