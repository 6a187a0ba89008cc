"""What `--help` says of variables and defaults is what the settings say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streams.cli.main import app
from streams.cli.terminal import at_home
from streams.settings import Settings

_VARIABLE = re.compile(r"\(env: KDSL_([A-Z_]+)[^;)]*(?:; default: ([^)]*))?\)")
# Empty settings that stand for something.
_IN_WORDS = {"REGISTRY": "~/.local/share/kdsl/registry.db"}


def options(command: object, path: str = "kdsl") -> Iterator[tuple[str, str]]:
    """Every option of every command, with its help."""
    for parameter in command.params:  # type: ignore[attr-defined]
        if parameter.param_type_name == "option":
            yield f"{path} {parameter.opts[0]}", parameter.help or ""
    for name, child in getattr(command, "commands", {}).items():
        yield from options(child, f"{path} {name}")


def helps(command: object, path: str = "kdsl") -> Iterator[tuple[str, str]]:
    """Every command's own help."""
    yield path, getattr(command, "help", None) or ""
    for name, child in getattr(command, "commands", {}).items():
        yield from helps(child, f"{path} {name}")


def test_no_help_breaks_its_lines_within_a_sentence() -> None:
    """Of all paragraphs but the first, lines stay as they are written, however wide the screen."""
    broken = [
        (path, line)
        for path, help_ in helps(typer.main.get_command(app))
        for paragraph in help_.split("\n\n")[1:]
        for line in paragraph.splitlines()
        if not line.endswith(".")
    ]
    assert broken == []


@pytest.mark.parametrize("command", ["release build", "release sign", "rules explain", "tag"])
def test_help_says_what_a_repeated_option_takes_in_words_of_people(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"]).stdout
    assert "list[" not in shown


NAMED = {
    option: said
    for option, help_ in options(typer.main.get_command(app))
    for said in _VARIABLE.findall(help_)
}


@pytest.mark.parametrize("option", NAMED)
def test_a_variable_that_is_named_is_a_setting_and_its_default_the_one_that_holds(
    option: str,
) -> None:
    name, default = NAMED[option]
    match getattr(Settings(), name.lower()):
        case True | False as flag:
            expected = str(flag).lower()
        case None | "" | ():
            expected = _IN_WORDS.get(name, "none")
        case Path() as path:
            expected = at_home(path)
        case value:
            expected = str(value)
    assert default in ("", expected)


@pytest.mark.parametrize("role", ["tagger", "resolver", "alerter"])
def test_every_option_of_a_worker_names_its_variable_and_default(role: str) -> None:
    found = {
        option: help_
        for option, help_ in options(typer.main.get_command(app))
        if option.startswith(f"kdsl worker {role} ") and not option.endswith("--help")
    }
    assert len(found) >= 5
    assert [option for option in found if not NAMED.get(option, ("", ""))[1]] == []
