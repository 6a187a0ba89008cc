"""`kdsl rules`: what an author sees of rules before they go into a release."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rule_store import RulesRefused, RulesTextRefused, UnknownConcept
from streams.cli.main import app
from streams.errors import DatasetError, InvalidDomain, InvalidSettings
from tests import factories as make
from tests.rules import has, rule

RULES = """\
when last mentions anger then complain
  note "angry people"
example "I am angry" -> complain

when last has "price" and not last mentions anger then buy
example "what is the price" -> buy
example "hello" -> nothing
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return make.write_pack(tmp_path / "kiosk", {"intent.rules": RULES})


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, arguments)])


def rules(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "intent.rules"
    file.write_text(text, encoding="utf-8")
    return file


def dialogues(folder: Path, *texts: str, label: str | None = "complain") -> Path:
    """Events e0, e1, …, each one user turn."""
    lines = [
        {
            "dialogue_id": f"e{number}",
            "task": "intent",
            "label": label,
            "turns": [{"speaker": "user", "text": text}],
        }
        for number, text in enumerate(texts)
    ]
    file = folder / "dialogues.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


@pytest.mark.parametrize("command", ["format", "lint", "test", "show", "explain"])
def test_help_breaks_lines_where_the_terminal_ends(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typer keeps the line breaks of a docstring's later paragraphs: each stands on one line."""
    monkeypatch.setenv("COLUMNS", "200")
    said = run(command, "--help").stdout.split("╭")[0].splitlines()
    text = [line.strip() for line in said]
    assert [pair for pair in pairwise(text) if all(pair)] == []


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_format_lays_out_in_place_and_then_changes_nothing(tmp_path: Path) -> None:
    file = rules(tmp_path, '# who\nwhen   last has "a"\n then   buy\n')
    assert run("format", tmp_path).exit_code == 0
    laid_out = file.read_text(encoding="utf-8")
    assert laid_out == '# who\nwhen last has "a" then buy\n'
    assert run("format", "--check", file).exit_code == 0


def test_format_check_names_what_would_change_and_writes_nothing(tmp_path: Path) -> None:
    text = 'when   last has "a" then buy\n'
    file = rules(tmp_path, text)
    result = run("format", "--check", file)
    assert result.exit_code == 1
    assert f"{file}: would change" in result.stderr.replace("\n", "")
    assert file.read_text(encoding="utf-8") == text


def test_format_writes_no_file_when_one_is_at_fault(tmp_path: Path) -> None:
    text = 'when   last has "a" then buy\n'
    file = rules(tmp_path / "a", text)
    rules(tmp_path / "b", "when then buy\n")
    assert isinstance(run("format", tmp_path).exception, RulesRefused)
    assert file.read_text(encoding="utf-8") == text


def test_format_keeps_the_mode_of_a_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = rules(tmp_path, 'when   last has "a" then buy\n')
    file.chmod(0o640)
    run("format", file)
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_format_refuses_a_file_that_is_none_of_rules(pack: Path) -> None:
    before = (pack / "domain.toml").read_text(encoding="utf-8")
    assert "ends in .rules" in str(run("format", pack / "domain.toml").exception)
    assert (pack / "domain.toml").read_text(encoding="utf-8") == before


def test_format_refuses_a_folder_without_rules(tmp_path: Path) -> None:
    assert isinstance(run("format", tmp_path).exception, InvalidDomain)


def test_lint_of_a_sound_pack_exits_0(pack: Path) -> None:
    result = run("lint", "--domain", pack)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "2 rules: 0 errors, 0 warnings" in result.stderr


def test_lint_lists_every_error_with_its_place_and_exits_1(pack: Path, tmp_path: Path) -> None:
    file = rules(
        tmp_path,
        'when last has "a"\n  and not last has "a" then buy\n'
        'when last mentions angr then complian\nexample "x" -> by\n',
    )
    result = run("lint", "--domain", pack, "--json", file)
    assert result.exit_code == 1
    found = {(each["kind"], each["line"]) for each in rows(result) if each["severity"] == "error"}
    assert found == {
        ("contradictory", 1),
        ("unknown_concept", 3),
        ("unknown_label", 3),
        ("unknown_label", 4),
    }


def test_lint_warns_and_is_strict_when_asked(pack: Path, tmp_path: Path) -> None:
    file = rules(
        tmp_path, 'when not last has "a" then buy\nwhen last mentions anger then complain\n'
    )
    assert run("lint", "--domain", pack, file).exit_code == 0
    strict = run("lint", "--domain", pack, "--strict", file)
    assert strict.exit_code == 1
    assert f"{file}:1:1: warning: never_indexed: rule " in strict.stdout


def test_a_note_is_said_and_no_error_even_when_strict(pack: Path, tmp_path: Path) -> None:
    file = rules(
        tmp_path,
        'when screen has "a" and not last has "b" then buy\n'
        "when last mentions anger then complain\n",
    )
    result = run("lint", "--domain", pack, "--strict", file)
    assert result.exit_code == 0
    assert f"{file}:1:1: note: led_by_screen: rule " in result.stdout
    assert "2 rules: 0 errors, 0 warnings, 1 note" in result.stderr


def test_lint_names_phrases_as_the_lexicon_has_them(tmp_path: Path) -> None:
    toml = '[concepts]\nanger = ["angry", "ANGRY", "so angry"]\n'
    folder = make.write_pack(tmp_path, {"lexicon.toml": toml})
    result = run("lint", "--domain", folder, "--json")
    kinds = [each["kind"] for each in rows(result) if each["file"].endswith("lexicon.toml")]
    assert kinds == ["repeated_phrase", "redundant_phrase"]


def test_lint_counts_firings_on_examples(pack: Path, tmp_path: Path) -> None:
    examples = dialogues(tmp_path, "angry!", "fed up", "price", "hello")
    result = run("lint", "--domain", pack, "--examples", examples, "--json")
    first, second = (each for each in rows(result) if each["what"] == "firings")
    assert (first["examples"], first["fired"], first["correct"]) == (4, 2, 2)
    assert (second["fired"], second["incorrect"], second["reliability"]) == (1, 1, 0.0)


def test_lint_shows_whole_numbers_labels_and_places_whatever_the_width(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = dialogues(tmp_path, "angry!", "price")
    for columns in (76, 80, 100, 160):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = run("lint", "--domain", pack, "--examples", examples).stdout
        words = ("coverage", "conflicts", "reliability", "intent.rules:1", "1 of 2", "complain")
        assert [word for word in words if word not in shown] == [], columns
    assert "│ intent.rules:1 │ complain │ 1 of 2 │" in shown


def test_lint_leaves_out_what_a_rule_was_fitted_on(pack: Path, tmp_path: Path) -> None:
    examples = dialogues(tmp_path, "angry!", "fed up")
    (rule, _) = (
        each["rule"]
        for each in rows(run("lint", "--domain", pack, "--examples", examples, "--json"))
    )
    fitted = {rule: {"reliability": 0.9, "example_ids": ["e0"]}}
    (pack / "fitted.json").write_text(json.dumps(fitted), encoding="utf-8")
    result = run("lint", "--domain", pack, "--examples", examples, "--json")
    assert [each["examples"] for each in rows(result)] == [1, 2]


def test_lint_leaves_out_every_moment_of_a_dialogue_that_a_rule_was_fitted_on(
    pack: Path, tmp_path: Path
) -> None:
    examples = dialogues(tmp_path, "angry!", "fed up", "angry too")
    lines = [json.loads(line) for line in examples.read_text(encoding="utf-8").splitlines()]
    lines[2] = {**lines[2], "dialogue_id": "d0", "event_id": "later"}
    lines[0] = {**lines[0], "dialogue_id": "d0", "event_id": "sooner"}
    examples.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (rule, _) = (
        each["rule"]
        for each in rows(run("lint", "--domain", pack, "--examples", examples, "--json"))
    )
    fitted = {rule: {"reliability": 0.9, "example_ids": ["earlier"], "dialogue_ids": ["d0"]}}
    (pack / "fitted.json").write_text(json.dumps(fitted), encoding="utf-8")
    result = run("lint", "--domain", pack, "--examples", examples, "--json")
    assert [each["examples"] for each in rows(result)] == [1, 3]


@pytest.mark.parametrize(("narrow", "status"), [(0.95, 0), (0.85, 1)])
def test_lint_weighs_a_mined_rule_by_its_reliability(
    pack: Path, tmp_path: Path, narrow: float, status: int
) -> None:
    text = "".join(f'when last has "{each}" then buy\n' for each in ("tea", "green tea"))
    file = rules(tmp_path / "mined", text + "when last mentions anger then complain\n")
    wide, small = (rule(has(each), label="buy").id for each in ("tea", "green tea"))
    fitted = {wide: {"reliability": 0.9}, small: {"reliability": narrow}}
    (file.parent / "fitted.json").write_text(json.dumps(fitted), encoding="utf-8")
    result = run("lint", "--domain", pack, "--strict", file)
    assert result.exit_code == status, result.output
    assert ("only repeats a vote" in result.stdout) == bool(status)


def test_test_says_how_many_examples_passed(pack: Path) -> None:
    result = run("test", "--domain", pack)
    assert result.exit_code == 0
    assert "3 of 3 examples passed" in result.stderr


def test_test_names_what_fired_and_what_nearly_did_for_each_failing_example(
    pack: Path, tmp_path: Path
) -> None:
    file = rules(tmp_path, RULES + 'example "an angry price" -> buy\n')
    result = run("test", "--domain", pack, file)
    assert result.exit_code == 1
    assert f"{file}:8:1: expected buy, but complain (0.80)" in result.stdout
    assert "then complain  intent.rules:1" in result.stdout
    assert "✓ last mentions anger  an «angry» price" in result.stdout
    assert "✗ not last mentions anger  an «angry» price" in result.stdout
    assert "3 of 4 examples passed" in result.stderr


def test_test_says_that_there_are_no_examples(tmp_path: Path) -> None:
    result = run("test", "--domain", make.write_pack(tmp_path))
    assert result.exit_code == 0
    assert "no examples" in result.stderr
    assert "-> buy" in result.stderr, "a label that the pack has"


def test_show_lists_rules_with_note_place_and_counts(pack: Path) -> None:
    result = run("show", "--domain", pack, "--label", "complain")
    assert "intent: 1 of 2 rules, for 1 of 2 labels" in result.stderr
    assert "last mentions anger" in result.stdout
    assert "price" not in result.stdout


def test_show_cuts_nothing_whatever_the_width(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At some widths rich wraps wide characters one column too late, and would cut the line."""
    when = 'last has "好用" and not last has "区别" and not last has "不锈钢"'
    folder = make.write_pack(tmp_path, {"intent.rules": f"when {when} then buy\n"})
    for columns in range(60, 131):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = run("show", "--domain", folder).stdout.splitlines()
        if any("│" in line for line in lines):
            cells = [line.split("│")[2] for line in lines if "│" in line]
        else:
            blocks = "\n".join(lines).split("when")[1].split("then")[0]
            cells = blocks.splitlines()
        assert "".join("".join(cells).split()) == when.replace(" ", ""), columns


def test_show_leaves_out_notes_that_no_rule_has(tmp_path: Path) -> None:
    folder = make.write_pack(tmp_path, {"intent.rules": 'when last has "a" then buy\n'})
    assert "note" not in run("show", "--domain", folder).stdout


def test_show_gives_a_block_to_each_rule_where_a_table_has_no_room(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = run("show", "--domain", pack, "--label", "complain").stdout.splitlines()
    named = [line.split()[0] for line in lines if line.strip()]
    assert named == ["rule", "when", "then", "note", "where"]


def test_show_expands_a_concept(pack: Path) -> None:
    result = run("show", "--domain", pack, "--concept", "anger")
    assert result.stdout.splitlines()[:2] == ["  angry", "  fed up"]


def test_show_refuses_unknown_names_with_the_known_ones(pack: Path) -> None:
    assert "known: buy, complain" in run("show", "--domain", pack, "--label", "by").stderr
    assert isinstance(run("show", "--domain", pack, "--concept", "angr").exception, UnknownConcept)


@pytest.mark.parametrize("command", ["lint", "test", "show"])
def test_files_of_no_task_are_refused(command: str, pack: Path, tmp_path: Path) -> None:
    other = tmp_path / "mood.rules"
    other.write_text("", encoding="utf-8")
    for path in (other, tmp_path / "gone.rules"):
        error = run(command, "--domain", pack, path).exception
        assert isinstance(error, InvalidDomain)
        assert "intent.rules" in str(error)


@pytest.mark.parametrize("command", ["lint", "test", "show"])
def test_a_text_at_fault_is_refused_with_all_its_faults(
    command: str, pack: Path, tmp_path: Path
) -> None:
    file = rules(tmp_path, 'when lost has "a" then buy\nwhen last has "b" the buy\n')
    error = run(command, "--domain", pack, file).exception
    assert isinstance(error, RulesTextRefused)
    assert len(error.errors) == 2


def test_explain_highlights_what_was_found(pack: Path, tmp_path: Path) -> None:
    file = dialogues(tmp_path, "Angry, ANGRY, not angrily")
    result = run("explain", file, "--domain", pack)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "e0 intent: complain (0.80), should be complain"
    assert lines[1].endswith("then complain  intent.rules:1  angry people")
    assert lines[2] == "    ✓ last mentions anger  «angry», «angry», not angrily"


def test_explain_shows_texts_of_unknown_origin_safely(pack: Path, tmp_path: Path) -> None:
    file = dialogues(tmp_path, "\x1b[2J[red]angry[/red]\u202e")
    result = run("explain", file, "--domain", pack)
    assert "\ufffd[0j[red]«angry»[/red]\ufffd" in result.stdout
    assert "\x1b" not in result.stdout


def test_explain_gives_spans_of_the_folded_text(pack: Path, tmp_path: Path) -> None:
    (row,) = rows(run("explain", dialogues(tmp_path, "So ANGRY"), "--domain", pack, "--json"))
    (literal,) = row["fired"][0]["literals"]
    ((start, end),) = literal["spans"]
    assert row["texts"][literal["channel"]][start:end] == "angry"
    assert row["verdict"] == {"label": "complain", "reliability": 0.8, "reason": None}
    assert row["facts"]["turns"] == 1


def test_explain_says_what_votes_answer_where_there_is_no_model(pack: Path, tmp_path: Path) -> None:
    conflicting = rules(
        tmp_path / "mine",
        'when last has "hello" then buy\nwhen last has "hello there" then complain\n',
    ).parent
    arguments = ("explain", dialogues(tmp_path, "hello there"), "--domain", pack)
    shown = run(*arguments, "--rules", conflicting).stdout.splitlines()[0]
    assert "no answer (conflict); without a model buy (0.44)" in shown
    (row,) = rows(run(*arguments, "--rules", conflicting, "--json"))
    assert row["without_model"]["label"] == "buy"


def test_explain_says_what_a_rule_lacked(pack: Path, tmp_path: Path) -> None:
    (row,) = rows(run("explain", dialogues(tmp_path, "angry price"), "--domain", pack, "--json"))
    (near,) = row["nearly"]
    assert [each["literal"] for each in near["literals"] if each["held"] is not True] == [
        "not last mentions anger"
    ]


def test_explain_takes_other_rules_or_a_release(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KDSL_REGISTRY", str(tmp_path / "registry.db"))
    file = dialogues(tmp_path, "hello")
    folder = rules(tmp_path / "mine", 'when last has "hello" then buy\n').parent
    out = tmp_path / "try.release"
    built = CliRunner().invoke(
        app,
        ["release", "build", "--domain", str(pack), "--rules", str(folder), "--out", str(out)],
    )
    assert built.exit_code == 0
    name = next(word for word in built.output.split() if word.startswith("sha256:"))
    for option, path in (("--rules", folder), ("--release", out), ("--release", name[:14])):
        shown = run("explain", file, "--domain", pack, option, path).stdout
        assert ("intent.rules:1" in shown) is (option == "--rules"), "a release knows no places"
        (row,) = rows(run("explain", file, "--domain", pack, option, path, "--json"))
        assert row["verdict"]["label"] == "buy"
    both = run("explain", file, "--domain", pack, "--rules", folder, "--release", out)
    assert isinstance(both.exception, InvalidSettings)


def test_explain_is_limited_and_finds_one_event(pack: Path, tmp_path: Path) -> None:
    file = dialogues(tmp_path, "a", "b", "c")
    limited = run("explain", file, "--domain", pack, "--limit", "2", "--json")
    assert [row["event_id"] for row in rows(limited)] == ["e0", "e1"]
    assert "more than 2 dialogues" in limited.stderr
    one = run("explain", file, "--domain", pack, "--event", "e2", "--json")
    assert [row["event_id"] for row in rows(one)] == ["e2"]
    none = run("explain", file, "--domain", pack, "--event", "e9")
    assert isinstance(none.exception, DatasetError)


def test_explain_says_which_dialogue_no_worker_would_take(pack: Path, tmp_path: Path) -> None:
    result = run("explain", dialogues(tmp_path, " ", "angry"), "--domain", pack)
    assert result.exit_code == 1
    assert "empty_dialogue" in result.stderr
    assert "complain (0.80)" in result.stdout
