"""`kdsl release build` packs no rules with lint errors or failing examples, unless told to."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rule_store.registry import Registry
from streams.cli.main import app
from streams.errors import InvalidDomain
from tests import factories as make
from tests.command_groups import Commands

KDSL = Commands(group="release")
ran, refused = KDSL.ran, KDSL.refused

BUY = 'when last has "price" then buy\n'
NEVER = 'when last has "refund" and not last has "refund" then complain\n'
FAILS = 'example "what is the price" -> complain\n'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the registry is that every command uses."""
    monkeypatch.setenv("KDSL_REGISTRY", str(tmp_path / "registry.db"))
    return tmp_path / "registry.db"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return make.write_pack(tmp_path / "kiosk")


def test_rules_with_lint_errors_or_failing_examples_are_refused(pack: Path, place: Path) -> None:
    (pack / "intent.rules").write_text(BUY + FAILS + NEVER)
    message = refused(InvalidDomain, "build", "--domain", pack)
    file = pack / "intent.rules"
    assert "1 lint error and 1 failing example" in message
    assert f"`kdsl rules lint --domain {pack} {file}`" in message
    assert f"`kdsl rules test --domain {pack} {file}`" in message
    assert "--allow-faults" in message
    lint, example = message.splitlines()[1:]
    assert lint.startswith(f"{file}:3:1: error: contradictory: rule ")
    assert example == f"{file}:2:1: expected complain, but buy (0.80)"
    with Registry.open(place) as registry:
        assert registry.releases() == ()


def test_rules_at_fault_are_built_when_that_is_wanted_and_said(pack: Path) -> None:
    (pack / "intent.rules").write_text(BUY + FAILS + FAILS)
    output = ran("build", "--domain", pack, "--allow-faults")
    assert "warning: these rules have 2 failing examples" in output
    assert "in the registry (unsigned)" in output
    (pack / "intent.rules").write_text(BUY)
    assert "warning" not in ran("build", "--domain", pack, "--allow-faults")


def test_no_more_than_the_first_five_faults_are_told(pack: Path) -> None:
    (pack / "intent.rules").write_text(BUY + FAILS * 7)
    *_, fifth, rest = refused(InvalidDomain, "build", "--domain", pack).splitlines()
    assert ":6:1: expected complain" in fifth
    assert rest == "and 2 more"


def test_of_the_pack_only_those_rules_count_that_the_folder_does_not_replace(
    pack: Path, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder, text in ((good, BUY), (bad, BUY + FAILS)):
        folder.mkdir()
        (folder / "intent.rules").write_text(text)
    assert str(bad) in refused(InvalidDomain, "build", "--domain", pack, "--rules", bad)
    (pack / "intent.rules").write_text(BUY + FAILS)
    assert "in the registry" in ran("build", "--domain", pack, "--rules", good)


def test_warnings_of_lint_refuse_nothing(pack: Path) -> None:
    (pack / "intent.rules").write_text(BUY + 'when last has "price now" then buy\n')
    lint = CliRunner().invoke(app, ["rules", "lint", "--domain", str(pack)])
    assert "warning: shadowed" in lint.stdout
    assert "warning" not in ran("build", "--domain", pack)


def test_packs_that_ship_are_built() -> None:
    for name in ("storefront", "taobao"):
        assert "in the registry" in ran("build", "--domain", name)
