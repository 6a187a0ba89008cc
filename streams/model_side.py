"""Model, reader and image store of one process: opened once, shared by every release's pipeline."""

import asyncio
from types import TracebackType
from typing import Self

from inference.classifier import Classifier
from inference.reading import Reader, ReadingCache
from streams.active_release import ActiveRelease
from streams.domain import Domain
from streams.errors import LabelMismatch
from streams.image_uris import AllowedUris
from streams.images import ImageStore
from streams.pipeline import Pipeline
from streams.screens import Screens
from streams.settings import Settings


class ModelSide:
    """What the resolver's stage needs besides rules."""

    def __init__(self, settings: Settings, domain: Domain) -> None:
        self._settings = settings
        self._domain = domain
        cache = ReadingCache(settings.cache / "readings", max_bytes=settings.cache_bytes)
        # One thread budget for two: neither may slow the other's share of the cores.
        self._model_threads = max(1, settings.threads // 2) if settings.bundle else 0
        self.reader = Reader(
            cache,
            threads=max(1, settings.threads - self._model_threads),
            given=settings.readings == "given",
        )
        self._allowed = AllowedUris.of(settings.image_prefixes)
        self._store = ImageStore(settings.image_prefixes)
        self.screens = Screens(store=self._store, read_text=self.reader.read)
        self.model: Classifier | None = None

    async def __aenter__(self) -> Self:
        """Load the model and warm it up; the reader starts with the first image.

        Raises:
            LabelMismatch: the bundle was trained for other labels than the domain's.
        """
        if self._settings.bundle is not None:
            self.model = await asyncio.to_thread(
                Classifier.open,
                self._settings.bundle,
                provider=self._settings.provider,
                threads=self._model_threads,
            )
            self._check_labels(self.model)
        return self

    async def warm(self) -> None:
        """Load the reader too, so that one that cannot work stops the start.

        Raises:
            MissingExtra: RapidOCR or its runtime is not installed.
            ReaderUnavailable: it does not start.
        """
        await self.reader.warm()

    def _check_labels(self, model: Classifier) -> None:
        for task, labels in self._domain.labels.items():
            if task not in model.tasks or tuple(model.labels(task)) != labels:
                raise LabelMismatch(
                    f"bundle {self._settings.bundle} has other {task} labels than the pack "
                    f"{self._domain.name!r}: train it with "
                    f"`kdsl model train --domain {self._domain.name}`"
                )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.reader.close()
        await self._store.close()
        if self.model is not None:
            await self.model.close()

    def pipeline(self, release: ActiveRelease, *, early_answer: bool = True) -> Pipeline:
        """The decision under one release."""
        return Pipeline(
            domain=self._domain,
            release=release,
            screens=self.screens,
            model=self.model,
            allowed=self._allowed,
            early_answer=early_answer,
        )
