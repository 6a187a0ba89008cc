"""The process that reads images: frames in on stdin, frames out on stdout, nothing else.

A frame is a 4-byte big-endian length and that many bytes. In: an encoded image. Out: JSON, first
`{"ready": …}`, then one answer an image: `{"width", "height", "lines"}` or `{"error"}`.
The process ends when stdin ends, also in the middle of an image.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import queue
import signal
import struct
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.reading_settings import DETECT_SIDE, FRAME_BYTES, LARGE_SIDE

IMAGE_PIXELS = 20_000_000
IMAGE_SIDE = 8192
LINES = 1000
LINE_CHARS = 500

Pixels = NDArray[np.uint8]
Answer = dict[str, object]


def serve(requests: BinaryIO, answers: BinaryIO, read: Callable[[bytes], Answer]) -> None:
    """Answer requests one after the other until they end."""
    waiting: queue.Queue[bytes | None] = queue.Queue(maxsize=1)
    threading.Thread(target=_receive, args=(requests, waiting), daemon=True).start()
    while (image := waiting.get()) is not None:
        try:
            answer = read(image)
        except Exception as error:  # noqa: BLE001 - the edge: the parent gets the reason
            # The kind only: a message could quote what the image holds.
            answer = {"error": type(error).__name__}
        send(answers, answer)


def send(answers: BinaryIO, answer: Answer) -> None:
    content = json.dumps(answer, ensure_ascii=False).encode()
    answers.write(struct.pack(">I", len(content)) + content)
    answers.flush()


def receive_frame(requests: BinaryIO) -> bytes | None:
    """The next frame; None at the end, also when it ends in the middle or is too large."""
    head = requests.read(4)
    if len(head) < 4:
        return None
    (size_bytes,) = struct.unpack(">I", head)
    if size_bytes > FRAME_BYTES:
        return None
    content = requests.read(size_bytes)
    return content if len(content) == size_bytes else None


def decode(image: bytes) -> Pixels:
    """An encoded image → `[h, w, 3]` RGB.

    Raises:
        ValueError: larger than the limits.
        OSError: not an image.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own bomb warning: the limit below is ours
        with Image.open(io.BytesIO(image)) as picture:
            width, height = picture.size
            if width * height > IMAGE_PIXELS or max(width, height) > IMAGE_SIDE:
                raise ValueError("the image is too large")
            return np.asarray(picture.convert("RGB"), dtype=np.uint8)


class RapidReader:
    """RapidOCR with one engine for large images and one for the others, each loaded when needed."""

    def __init__(self, threads: int) -> None:
        import cv2
        import rapidocr

        cv2.setNumThreads(threads)
        self._make = rapidocr.RapidOCR
        self._threads = threads
        self._engines: dict[bool, Any] = {}

    def __call__(self, image: bytes) -> Answer:
        return self.read(decode(image))

    def read(self, pixels: Pixels) -> Answer:
        height, width = pixels.shape[:2]
        engine = self._engine(large=max(width, height) > LARGE_SIDE)
        found = engine(np.ascontiguousarray(pixels[:, :, ::-1]), use_cls=False)
        if found.txts is None or found.boxes is None:
            return {"width": width, "height": height, "lines": []}
        rows = zip(found.txts, found.scores, found.boxes, strict=True)
        lines = [_line(text, score, box, width, height) for text, score, box in rows]
        return {"width": width, "height": height, "lines": lines[:LINES]}

    def _engine(self, *, large: bool) -> Any:
        if large not in self._engines:
            params = {
                "Global.log_level": "error",
                "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
            if large:
                params |= {"Det.limit_type": "max", "Det.limit_side_len": DETECT_SIDE}
            self._engines[large] = self._make(params=params)
        return self._engines[large]


def main() -> int:
    """Load, say so, read until stdin ends."""
    parser = argparse.ArgumentParser(description="Reads images for inference.reading.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="load, read a blank image and exit")
    arguments = parser.parse_args()
    answers = _claim_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it closes stdin
    try:
        reader = RapidReader(arguments.threads)
        reader.read(np.full((64, 64, 3), 255, dtype=np.uint8))
    except ImportError as error:
        send(answers, {"ready": False, "missing": (error.name or "rapidocr").split(".")[0]})
        return 1
    except Exception as error:  # noqa: BLE001 - the edge: the parent gets the reason
        send(answers, {"ready": False, "reason": f"{type(error).__name__}: {error}"})
        return 1
    send(answers, {"ready": True})
    if not arguments.check:
        serve(sys.stdin.buffer, answers, reader)
    return 0


def _claim_stdout() -> BinaryIO:
    """Keep stdout for frames; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _receive(requests: BinaryIO, waiting: queue.Queue[bytes | None]) -> None:
    while (image := receive_frame(requests)) is not None:
        waiting.put(image)
    # The parent is gone or closed stdin: nobody wants the answer to the image being read.
    os._exit(0)


def _line(text: str, score: float, box: Any, width: int, height: int) -> Answer:
    points = np.asarray(box, dtype=np.float64).reshape(-1, 2) / (width, height)
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    relative = [round(float(min(1.0, max(0.0, value))), 4) for value in (x0, y0, x1, y1)]
    return {"text": str(text)[:LINE_CHARS], "score": round(float(score), 4), "box": relative}


if __name__ == "__main__":
    sys.exit(main())
