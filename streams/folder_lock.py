"""One process at a time in a folder; the lock goes with the process, however that ends."""

import fcntl
from pathlib import Path
from typing import IO

from streams.errors import FolderInUse, InvalidSettings


class FolderLock:
    """Holds a folder against other processes by a lock on its file `lock`.

    Args:
        folder: made when it is missing.
        holder: what uses the folder, as the error of whoever comes second says it.
        cure: what that one may do.
    """

    def __init__(
        self, folder: Path, *, holder: str, cure: str = "stop it, or give another --data"
    ) -> None:
        self._folder = folder
        self._holder = holder
        self._cure = cure
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Hold the folder; nothing happens when we hold it already.

        Raises:
            FolderInUse: another process holds it.
            InvalidSettings: it cannot be made, or not be written to.
        """
        if self._file is not None:
            return
        file = self._opened()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise FolderInUse(
                f"another {self._holder} runs in {self._folder}: {self._cure}"
            ) from error
        self._file = file

    def _opened(self) -> IO[str]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return (self._folder / "lock").open("w")
        except OSError as error:
            raise InvalidSettings(
                f"{self._folder} is no folder that we can write to: {error.strerror}; name another"
            ) from error

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
