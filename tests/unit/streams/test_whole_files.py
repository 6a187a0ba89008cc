"""Files that are written whole or stay as they were."""

from pathlib import Path

import pytest

from streams.errors import InvalidSettings
from streams.whole_files import remove_whole, write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    for text in ("one", "två"):
        write_whole(file, text)
        assert file.read_text(encoding="utf-8") == text
    assert list(file.parent.iterdir()) == [file]


def test_what_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "folder", tmp_path / "file" / "below", Path("/proc/kdsl/file")):
        with pytest.raises(InvalidSettings, match=r"cannot be written: .*; make room, or give"):
            write_whole(path, "text")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


def test_a_file_is_removed_if_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    remove_whole(file)
    remove_whole(file)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidSettings, match="cannot be written"):
        remove_whole(tmp_path / "folder")
