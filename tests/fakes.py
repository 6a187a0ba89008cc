"""Small real classes in the place of what is slow or far: model, reader, a worker's holdings."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from inference.errors import ImageKillsReader
from inference.inputs import LabelScores, ModelInput, ScreenLine
from inference.reading import Reading
from streams.active_release import ActiveRelease
from streams.domain import Domain
from streams.image_uris import AllowedUris
from streams.images import ImageStore
from streams.log_ends import Partition
from streams.pipeline import Pipeline, Scorer
from streams.screens import Screens

BUNDLE = "sha256:" + "b" * 64


class FakeScorer:
    """A model that gives every label of a task the same, or the first one what it is told.

    asked: what it was asked, in order.
    """

    digest = BUNDLE

    def __init__(self, domain: Domain, *, first: float | None = None) -> None:
        self._labels = domain.labels
        self._first = first
        self.asked: list[ModelInput] = []

    async def score(self, model_input: ModelInput) -> LabelScores:
        self.asked.append(model_input)
        labels = self._labels[model_input.task]
        first = 1 / len(labels) if self._first is None else self._first
        rest = (1 - first) / (len(labels) - 1)
        return LabelScores(labels=labels, probabilities=(first, *[rest] * (len(labels) - 1)))


class BrokenScorer:
    """A model that always raises: a defect of ours, not of the record."""

    digest = BUNDLE

    async def score(self, model_input: ModelInput) -> LabelScores:
        raise RuntimeError(f"no {model_input.task} today")


class FakeReader:
    """Reads from each image, known by its content, the lines it was told; from others none.

    read_images: digests of the images it was given, in order.
    """

    def __init__(
        self, lines: Mapping[bytes, Sequence[str]] | None = None, *, kills: Sequence[bytes] = ()
    ) -> None:
        self._lines = {_sha256(content): texts for content, texts in (lines or {}).items()}
        self._kills = {_sha256(content) for content in kills}
        self.read_images: list[str] = []

    async def read(self, image: bytes, sha256: str) -> Reading:
        self.read_images.append(sha256)
        if sha256 in self._kills:
            raise ImageKillsReader(sha256)
        return reading(*self._lines.get(sha256, ()))


def reading(*texts: str) -> Reading:
    """Lines of equal height, from the top of the image to its bottom."""
    lines = tuple(
        ScreenLine(text=text, score=1.0, box=(0.0, at / len(texts), 1.0, (at + 1) / len(texts)))
        for at, text in enumerate(texts)
    )
    return Reading(reader="fake", width=8, height=8, lines=lines)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class FakeModelSide:
    """Model, reader and image store of a resolver, with a fake model and a fake reader."""

    def __init__(
        self,
        domain: Domain,
        *,
        scorer: Scorer | None = None,
        reader: FakeReader | None = None,
        prefixes: Sequence[str] = (),
    ) -> None:
        self._domain = domain
        self._scorer = scorer
        self._allowed = AllowedUris.of(prefixes)
        self._store = ImageStore(prefixes)
        self._screens = Screens(store=self._store, read_text=(reader or FakeReader()).read)
        self.is_open = False

    async def __aenter__(self) -> "FakeModelSide":
        self.is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._store.close()
        self.is_open = False

    async def warm(self) -> None:
        """Nothing to load."""

    def pipeline(self, release: ActiveRelease, *, early_answer: bool = True) -> Pipeline:
        return Pipeline(
            domain=self._domain,
            release=release,
            screens=self._screens,
            model=self._scorer,
            allowed=self._allowed,
            early_answer=early_answer,
        )


@dataclass
class FakeHoldings:
    """What a worker holds, as the test says."""

    commits: dict[Partition, int | None] = field(default_factory=dict)
    flying: int = 0

    def assigned(self) -> set[Partition]:
        return set(self.commits)

    def committed(self, partition: Partition) -> int | None:
        return self.commits[partition]

    def in_flight(self) -> int:
        return self.flying
