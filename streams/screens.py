"""ImageRef → a checked image and what was read from it: bounded, cached, retried."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from inference.errors import ImageKillsReader, ReadingFailed
from inference.reading import Reading
from streams.errors import ImageRejected, ImageUnavailable
from streams.events import ImageRef
from streams.images import CheckedImage, ImageStore
from streams.screen_facts import white_share

_TRIES = 4
_FIRST_PAUSE_S = 0.25
# All images of one event: they are read one after the other, about a second each.
_ALL_WITHIN_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadImage:
    """An image that passed the intake, with its text lines.

    white_share: of its pixels, 0 to 1; counted here, once an image and not once a question.
    """

    image: CheckedImage
    reading: Reading
    white_share: float


ReadText = Callable[[bytes, str], Awaitable[Reading]]


class Screens:
    """Fetches, checks and reads the images of questions.

    read_text: (image bytes, SHA-256 hex) → Reading; see `inference.reading.Reader.read`.
    """

    def __init__(self, *, store: ImageStore, read_text: ReadText) -> None:
        self._store = store
        self._read_text = read_text

    async def read_all(self, images: Sequence[ImageRef]) -> dict[str, ReadImage]:
        """Read every image that carries bytes or an address; the others stay unread.

        Raises:
            ImageRejected: an image cannot be evidence; its event is a dead letter.
        """
        known = [image for image in images if image.content is not None or image.uri is not None]
        try:
            async with asyncio.timeout(_ALL_WITHIN_S), asyncio.TaskGroup() as group:
                reads = {image.image_id: group.create_task(self._read(image)) for image in known}
        except TimeoutError as error:
            raise ImageRejected(
                f"reading the event's images took longer than {_ALL_WITHIN_S:g} s",
                reason="image_too_slow",
            ) from error
        except BaseExceptionGroup as failures:
            # The first failure decides the event; the group has cancelled the other reads.
            raise failures.exceptions[0] from None
        return {image_id: read.result() for image_id, read in reads.items()}

    async def _read(self, image: ImageRef) -> ReadImage:
        checked = await self._fetch(image)
        try:
            reading = await self._read_text(checked.content, checked.sha256)
        except ImageKillsReader as error:
            raise ImageRejected(
                "reading the image crashed or outlasted the reader twice",
                reason="image_kills_reader",
            ) from error
        except ReadingFailed as error:
            raise ImageRejected(
                "the image decodes, but the reader fails on it", reason="image_unreadable"
            ) from error
        # Decoding pixels takes milliseconds: not on the event loop.
        white = await asyncio.to_thread(white_share, checked.content)
        return ReadImage(image=checked, reading=reading, white_share=white)

    async def _fetch(self, image: ImageRef) -> CheckedImage:
        pause_s = _FIRST_PAUSE_S
        for _ in range(_TRIES - 1):
            try:
                return await self._store.fetch(image)
            except ImageUnavailable:
                await asyncio.sleep(pause_s)
                pause_s *= 2
        try:
            return await self._store.fetch(image)
        except ImageUnavailable as error:
            raise ImageRejected(
                f"the image store did not deliver in {_TRIES} tries; redrive when it is back",
                reason="image_unavailable",
            ) from error
