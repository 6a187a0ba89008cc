"""The outputs in docs/rule-tools.md are what its commands print."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.main import app

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "rule-tools.md").read_text(encoding="utf-8")
ADDED = GUIDE.split("<<'END'\n")[1].split("END\n")[0]


def shown(command: str) -> list[str]:
    """What the guide says a command prints."""
    return GUIDE.split(f"$ kdsl {command}\n")[1].split("```")[0].splitlines()


@pytest.fixture
def _followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder in which the guide's commands were followed."""
    pack = shutil.copytree(ROOT / "deploy" / "domains" / "storefront", tmp_path / "mine")
    with (pack / "intent.rules").open("a", encoding="utf-8") as rules:
        rules.write(ADDED)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["rules", "format", "mine"]).exit_code == 0


def printed(command: str) -> list[str]:
    return CliRunner().invoke(app, command.split()).output.splitlines()


@pytest.mark.usefixtures("_followed")
@pytest.mark.parametrize("command", ["rules lint --domain mine", "rules test --domain mine"])
def test_lint_and_test_print_what_the_guide_shows(command: str) -> None:
    found = "\n".join(printed(command))
    # In the guide a line of … stands for lines left out.
    parts = "\n".join(shown(command)).split("\n…\n")
    assert found.startswith(parts[0])
    assert found.endswith(parts[-1])
    assert [part for part in parts if part not in found] == []
