"""The intake of images: references in, checked images out; everything from outside is bounded."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from streams.errors import ImageRejected, ImageUnavailable
from streams.events import ImageRef
from streams.image_checks import CheckedImage, check_image, refuse_bytes
from streams.image_shrinking import shrink
from streams.image_uris import AllowedUris
from streams.limits import LIMITS, Limits

__all__ = ["CheckedImage", "ImageStore", "check_image", "shrink"]

_CHUNK_BYTES = 64 * 1024
# Refusals that mean "later": request timeout, too early, too many requests.
_NOT_NOW = frozenset({408, 425, 429})


class ImageStore:
    """Fetches what image references point to: inline bytes, or an address that is allowed.

        async with ImageStore(["https://images.example/shop"]) as store:
            image = await store.fetch(reference)

    Args:
        allowed_prefixes: http or https addresses; what lies below one may be fetched.
        limits: bounds on bytes, pixels, sides and on the time of one fetch.
        open_session: makes the HTTP session, on the first fetch.
    """

    def __init__(
        self,
        allowed_prefixes: Sequence[str] = (),
        *,
        limits: Limits = LIMITS,
        open_session: Callable[[], aiohttp.ClientSession] | None = None,
    ) -> None:
        self._allowed = AllowedUris.of(allowed_prefixes)
        self._limits = limits
        self._open_session = open_session or _plain_session
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, reference: ImageRef) -> CheckedImage:
        """Return the image a reference stands for.

        Raises:
            ImageRejected: it cannot be evidence, ever.
            ImageUnavailable: the store did not answer properly; it may later.
        """
        if reference.content is not None:
            content = reference.content
        elif reference.uri is not None:
            self._allowed.check(reference.uri)
            content = await self._download(reference.uri)
        else:
            raise ImageRejected("there are neither bytes nor an address", reason="image_missing")
        return await asyncio.to_thread(
            check_image,
            content,
            sha256=reference.sha256,
            media_type=reference.media_type,
            limits=self._limits,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _download(self, uri: str) -> bytes:
        if self._session is None:
            self._session = self._open_session()
        try:
            async with self._session.get(
                URL(uri, encoded=True),  # as checked: not rewritten on the way
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._limits.image_fetch_s),
            ) as response:
                _refuse_status(response.status)
                refuse_bytes(response.content_length or 0, self._limits)
                return await self._read(response)
        except TimeoutError as error:
            raise ImageUnavailable(
                f"the image store took longer than {self._limits.image_fetch_s:g} s"
            ) from error
        except aiohttp.InvalidURL as error:
            raise ImageRejected(
                "the address cannot be requested", reason="image_forbidden_uri"
            ) from error
        except aiohttp.ClientError as error:
            raise ImageUnavailable(f"the image store failed: {type(error).__name__}") from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            content += chunk
            refuse_bytes(len(content), self._limits)
        return bytes(content)


def _plain_session() -> aiohttp.ClientSession:
    """No cookies, no proxy from the environment, no compression that could hide a bomb."""
    return aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "image/png, image/jpeg, image/webp", "Accept-Encoding": "identity"},
    )


def _refuse_status(status: int) -> None:
    if status == 200:
        return
    if 300 <= status < 400:
        raise ImageRejected(
            f"the image store answered {status}; redirects are not followed",
            reason="image_forbidden_uri",
        )
    if 400 <= status < 500 and status not in _NOT_NOW:
        raise ImageRejected(f"the image store answered {status}", reason="image_missing")
    raise ImageUnavailable(f"the image store answered {status}")
