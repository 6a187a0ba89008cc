"""Screenshots → text lines, read in a child process that cannot take the worker down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
import sys
from collections import OrderedDict
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from inference.errors import (
    ImageKillsReader,
    MissingExtra,
    ReaderUnavailable,
    ReadingFailed,
)
from inference.reading_cache import GIVEN, Reading, ReadingCache, reading_from_json
from inference.reading_settings import DETECT_SIDE, FRAME_BYTES, LARGE_SIDE

__all__ = ["GIVEN", "Reader", "Reading", "ReadingCache", "own_reader"]

STRIKES = 2
REMEMBERED_IMAGES = 1024
ANSWER_BYTES = 8 << 20


def own_reader() -> str:
    """The name of the reader in use: version and settings, part of every cache key.

    Raises:
        MissingExtra: RapidOCR is not installed.
    """
    try:
        version = metadata.version("rapidocr")
    except metadata.PackageNotFoundError as error:
        raise MissingExtra("rapidocr", "ocr") from error
    return f"rapidocr-{version}-max{DETECT_SIDE}-above{LARGE_SIDE}"


class Reader:
    """Reads one image at a time; starts its child with the first image or `warm`."""

    def __init__(
        self,
        cache: ReadingCache,
        *,
        timeout_s: float = 20.0,
        threads: int = 1,
        given: bool = True,
        start_timeout_s: float = 60.0,
        command: Sequence[str] | None = None,
    ) -> None:
        """Set up without starting anything.

        Args:
            cache: looked into first, and given every new reading.
            timeout_s: longest an image may take before the child is killed.
            threads: of the OCR models inside the child.
            given: take a reading that came with a dataset before reading oneself.
            start_timeout_s: longest the child may take to load.
            command: how to start the child; the default is `inference.reading_child`.
        """
        self._cache = cache
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._threads = threads
        self._given = given
        default = (sys.executable, "-P", "-m", "inference.reading_child", "--threads", str(threads))
        self._command = tuple(command) if command is not None else default
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._strikes: OrderedDict[str, int] = OrderedDict()
        self._closed = False

    @property
    def child_pid(self) -> int | None:
        """The process id of the running child, for health pages and tests."""
        return None if self._child is None else self._child.pid

    async def read(self, image: bytes, sha256: str) -> Reading:
        """The text lines of an encoded image, from the cache when it is there.

        Args:
            image: the encoded image, already checked to be one of bounded size.
            sha256: hex digest of `image`, the key of its reading.

        Raises:
            ImageKillsReader: the image ended the child, or outlasted its time, twice.
            ReadingFailed: the child cannot read it.
            ReaderUnavailable: the child does not start.
            MissingExtra: RapidOCR is not installed.
        """
        if (known := await asyncio.to_thread(self.known, sha256)) is not None:
            return known
        async with self._turn:
            # Another caller may have read the same image while this one waited.
            if (known := await asyncio.to_thread(self.known, sha256)) is not None:
                return known
            reading = await self._read(image, sha256)
            # A cache only saves time: one that cannot be written costs no reading.
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._cache.put, sha256, reading)
            return reading

    def known(self, sha256: str) -> Reading | None:
        """The cached reading that `read` would return without reading."""
        if self._given and (given := self._cache.get_given(sha256)) is not None:
            return given
        return self._cache.get(sha256, own_reader())

    async def warm(self) -> None:
        """Start the child and wait until its models are loaded."""
        async with self._turn:
            await self._started()

    async def close(self) -> None:
        """End the child; no process is left."""
        self._closed = True
        await self._kill()  # ends an exchange under way at once
        async with self._turn:
            await self._kill()

    async def _read(self, image: bytes, sha256: str) -> Reading:
        if len(image) > FRAME_BYTES:
            raise ReadingFailed(sha256, f"{len(image)} bytes are more than {FRAME_BYTES}")
        while self._strikes.get(sha256, 0) < STRIKES:
            child = await self._started()
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await _exchange(child, image)
            except (TimeoutError, EOFError, ConnectionError, ValueError):
                await self._kill()
                self._strike(sha256)
                continue
            except BaseException:
                # Cancelled half-way: the child's next answer would be to this image.
                await self._kill()
                raise
            self._strikes.pop(sha256, None)
            return _reading(answer, sha256)
        raise ImageKillsReader(sha256)

    def _strike(self, sha256: str) -> None:
        if self._closed:
            raise ReaderUnavailable("the reader is closed")
        self._strikes[sha256] = self._strikes.pop(sha256, 0) + 1
        while len(self._strikes) > REMEMBERED_IMAGES:
            self._strikes.popitem(last=False)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._closed:
            raise ReaderUnavailable("the reader is closed")
        if self._child is not None and self._child.returncode is None:
            return self._child
        await self._kill()
        self._child = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": str(self._threads)},
        )
        try:
            if self._closed:
                raise ReaderUnavailable("the reader is closed")
            async with asyncio.timeout(self._start_timeout_s):
                _check_ready(await _answer(self._child))
        except (TimeoutError, EOFError, ValueError) as error:
            await self._kill()
            raise ReaderUnavailable(type(error).__name__) from error
        except BaseException:
            await self._kill()
            raise
        return self._child

    async def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await asyncio.shield(child.wait())
        if child.stdin is not None:
            child.stdin.close()
            with contextlib.suppress(ConnectionError):
                await child.stdin.wait_closed()


async def _exchange(child: asyncio.subprocess.Process, image: bytes) -> dict[str, Any]:
    if child.stdin is None:
        raise EOFError
    child.stdin.write(struct.pack(">I", len(image)) + image)
    await child.stdin.drain()
    return await _answer(child)


async def _answer(child: asyncio.subprocess.Process) -> dict[str, Any]:
    if child.stdout is None:
        raise EOFError
    (size_bytes,) = struct.unpack(">I", await child.stdout.readexactly(4))
    if size_bytes > ANSWER_BYTES:
        msg = f"an answer of {size_bytes} bytes"
        raise ValueError(msg)
    answer = json.loads(await child.stdout.readexactly(size_bytes))
    if not isinstance(answer, dict):
        raise TypeError("an answer is a JSON object")
    return answer


def _check_ready(answer: dict[str, Any]) -> None:
    if answer.get("ready") is True:
        return
    if isinstance(missing := answer.get("missing"), str):
        raise MissingExtra(missing, "cpu" if missing == "onnxruntime" else "ocr")
    raise ReaderUnavailable(str(answer.get("reason", "no reason given")))


def _reading(answer: dict[str, Any], sha256: str) -> Reading:
    if "error" in answer:
        raise ReadingFailed(sha256, str(answer["error"]))
    try:
        return reading_from_json(json.dumps({**answer, "reader": own_reader()}).encode())
    except ValueError as error:
        raise ReadingFailed(sha256, "the child's answer is not a reading") from error
