"""constraints.txt is what compiling pyproject.toml gives, and names no address."""

import shutil
import subprocess
from pathlib import Path

_CHECKOUT = Path(__file__).parents[2]


def test_recompiling_with_the_committed_file_as_preferences_changes_nothing(
    tmp_path: Path, uv: str
) -> None:
    shutil.copy(_CHECKOUT / "pyproject.toml", tmp_path)
    shutil.copy(_CHECKOUT / "constraints.txt", tmp_path)
    compile_ = [uv, "pip", "compile", "pyproject.toml", "--universal", "--all-extras"]
    compile_ += ["--generate-hashes", "--quiet", "--custom-compile-command", "make constraints"]
    subprocess.run([*compile_, "--output-file", "constraints.txt"], cwd=tmp_path, check=True)
    committed = (_CHECKOUT / "constraints.txt").read_text()
    assert (tmp_path / "constraints.txt").read_text() == committed
    assert "://" not in committed
