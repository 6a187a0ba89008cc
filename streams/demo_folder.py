"""What the demo keeps between runs, and whether that is still what it would make."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rule_store import new_key
from streams.folder_lock import FolderLock
from streams.resources import quickstart_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFolder:
    """Where the demo keeps what it made, so that the next run can use it again."""

    root: Path

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def key(self) -> Path:
        return self.root / "keys" / "demo.pem"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def bundle(self) -> Path:
        return self.root / "bundle"

    @property
    def release(self) -> Path:
        return self.root / "demo.release"

    @property
    def registry(self) -> Path:
        return self.root / "registry.db"

    @property
    def fingerprint(self) -> Path:
        return self.root / "fingerprint"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and, once, the key that signs its releases; hold it against others.

        Raises:
            FolderInUse: another demo uses the folder.
        """
        lock = FolderLock(self.root, holder="demo")
        lock.acquire()
        try:
            if not self.key.is_file():
                self.key.parent.mkdir(parents=True, exist_ok=True)
                new_key(self.key)
            yield
        finally:
            lock.release()


def fingerprint(pack: Path) -> str:
    """Digest of all that bundle and release are made from: samples, pack and our own code.

    The same for a checkout and for the wheel built from it.
    """
    hasher = hashlib.sha256(sys.version.encode())
    packages = Path(__file__).parent.parent
    for folder, pattern in (
        (packages / "inference", "**/*.py"),
        (packages / "rule_store", "**/*.py"),
        (packages / "streams", "*.py"),
        (packages / "streams" / "cli", "*.py"),
        (quickstart_folder(), "**/*.jsonl"),
        (quickstart_folder() / "images", "*"),
        (pack, "*"),
    ):
        for file in sorted(folder.glob(pattern)):
            hasher.update(f"{file.relative_to(folder)}\0".encode())
            hasher.update(hashlib.sha256(file.read_bytes()).digest())
    return hasher.hexdigest()
