"""The lock on a folder: who may hold it, and what is said where it cannot be."""

from pathlib import Path

import pytest

from streams.errors import FolderInUse, InvalidSettings
from streams.folder_lock import FolderLock


def test_a_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first, second = (FolderLock(tmp_path / "work", holder="refresh") for _ in range(2))
    first.acquire()
    with pytest.raises(FolderInUse, match="another refresh runs in"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_file_or_a_place_that_takes_no_folder_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below", Path("/proc/kdsl")):
        with pytest.raises(InvalidSettings, match="is no folder that we can write to"):
            FolderLock(place, holder="refresh").acquire()
