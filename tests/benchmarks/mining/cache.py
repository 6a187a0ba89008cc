"""Cache: JSON by content, so that nothing old is ever taken for something new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from streams.whole_files import write_whole

_ROOT = Path(__file__).parents[3]


class Cache:
    """One file an entry, `<kind>/<digest>.json`. Remove the folder at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, kind: str, digest: str) -> Any | None:
        """What was written; None when nothing was."""
        path = self._path(kind, digest)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def write(self, kind: str, digest: str, fields: object) -> None:
        write_whole(self._path(kind, digest), json.dumps(fields, ensure_ascii=False))

    def _path(self, kind: str, digest: str) -> Path:
        return self.folder / kind / f"{digest}.json"


def digest_of(*parts: str | bytes) -> str:
    """SHA-256 of the parts, each with its length before it."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def digest_of_files(paths: Iterable[Path]) -> str:
    """Of names and contents; of folders all files below."""
    parts: list[bytes] = []
    for path in sorted(paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                parts += [str(file.relative_to(path.parent)).encode(), file.read_bytes()]
    return digest_of(*parts)


def digest_of_sources(*patterns: str) -> str:
    """Of the source text of all modules that match, below the root of the project."""
    return digest_of_files(path for pattern in patterns for path in _ROOT.glob(pattern))
