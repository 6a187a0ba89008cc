"""`kdsl rules lint`: what is wrong with rules, and how they do on labelled dialogues."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import HEAVY_HEAD
from rich.table import Column

from rule_store import (
    Finding,
    Firings,
    LabelledEvaluation,
    Rule,
    RuleSet,
    count_firings,
    evaluate,
    lint_lexicon,
    lint_rules,
)
from streams.cli.choices import one_view
from streams.cli.explained import file_and_line
from streams.cli.labelled import read_questions
from streams.cli.options import DomainName, Json, ReadingsOption, ViewOption
from streams.cli.readings import choose_readings
from streams.cli.rules_read import RulesPaths, read_rules_at
from streams.cli.tables import number_column, print_table
from streams.cli.terminal import counted, printable, put_json, say, stdout
from streams.datasets import View
from streams.domain import Domain, pack_folder
from streams.labelled import LabelledQuestion
from streams.rule_files import RulesFile, read_fitted_on, written_phrases
from streams.settings import Settings, load_settings

_COUNTS = ("fired", "coverage", "overlaps", "conflicts", "correct", "reliability", "95 %")
_UNDER = {"then": "rule", "coverage": "fired", "95 %": "reliability"}


def lint(
    paths: RulesPaths = None,
    domain: DomainName = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option(
            help="Labelled dialogues to count firings on: a .jsonl or a folder; may be repeated. "
            "(default: none)"
        ),
    ] = None,
    view: ViewOption = None,
    readings: ReadingsOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on warnings too.")] = False,
    as_json: Json = False,
) -> None:
    """Find rules that can never answer, say the same twice, or name what does not exist.

    Exit 1 on errors; warnings, and notes on what costs time, are only said.

    With --examples it also says how often each rule fired, with others, against others, rightly.

    The dialogues that a rule was fitted on, named in `fitted.json` beside the rules, are left out.
    """
    pack, files = read_rules_at(paths, domain, names_checked=False)
    settings = load_settings({"domain": domain})
    seen = one_view(view, default="live")
    lexicon_file = pack_folder(settings.domain) / "lexicon.toml"
    findings = [
        *((str(file.path), each) for file in files for each in _in_rules(file, pack)),
        *((str(lexicon_file), each) for each in _in_lexicon(lexicon_file, files, pack)),
    ]
    for origin, finding in findings:
        _put(origin, finding, as_json)
    if examples and any(finding.kind == "unknown_concept" for _, finding in findings):
        say("examples are not looked at while a rule mentions an unknown concept: mend that first")
    elif examples:
        chosen = replace(settings, readings=choose_readings(readings, examples, settings))
        _show_examples(examples, seen, chosen, pack, files, as_json)
    severities = [finding.severity for _, finding in findings]
    errors, warnings = severities.count("error"), severities.count("warning")
    notes = severities.count("note")
    count = sum(len(file.read.rule_set.rules) for file in files)
    noted = f", {counted(notes, 'note')}" if notes else ""
    say(
        f"{counted(count, 'rule')}: {counted(errors, 'error')}, "
        f"{counted(warnings, 'warning')}{noted}"
    )
    raise typer.Exit(1 if errors or (strict and warnings) else 0)


def _in_rules(file: RulesFile, pack: Domain) -> tuple[Finding, ...]:
    return lint_rules(
        file.read.rule_set,
        lexicon=pack.lexicon,
        labels=file.task.label_names,
        places=file.read.places,
        examples=file.read.examples,
        reliability=_reliability(file),
    )


def _reliability(file: RulesFile) -> dict[str, float]:
    """Rule id → its reliability, of the rules that were mined."""
    path = file.path.parent / "fitted.json"
    if not read_fitted_on(path):  # it also refuses what is malformed
        return {}
    known = {rule: row.get("reliability") for rule, row in json.loads(path.read_bytes()).items()}
    return {rule: value for rule, value in known.items() if isinstance(value, float | int)}


def _in_lexicon(
    lexicon_file: Path, files: Sequence[RulesFile], pack: Domain
) -> tuple[Finding, ...]:
    """A task none of whose files is linted keeps the pack's rules: they use concepts too."""
    named = {file.task.name for file in files}
    others = [rules for task, rules in pack.rule_sets.items() if task not in named]
    rule_sets = [*(file.read.rule_set for file in files), *others]
    return lint_lexicon(pack.lexicon, rule_sets, written=written_phrases(lexicon_file))


def _put(origin: str, finding: Finding, as_json: bool) -> None:
    if as_json:
        put_json({"what": "finding", **_finding_fields(origin, finding)})
        return
    rule = "" if finding.rule is None else f"rule {finding.rule} "
    line = f"{finding.place or origin}: {finding.severity}: {finding.kind}: {rule}{finding.message}"
    stdout().print(printable(line), soft_wrap=True)


def _finding_fields(origin: str, finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "kind": finding.kind,
        "rule": finding.rule,
        "file": origin,
        "line": finding.place.line if finding.place else None,
        "column": finding.place.column if finding.place else None,
        "message": finding.message,
    }


def _show_examples(
    examples: Sequence[Path],
    view: View,
    settings: Settings,
    pack: Domain,
    files: Sequence[RulesFile],
    as_json: bool,
) -> None:
    labelled = read_questions(examples, view, settings, pack)
    rows: list[tuple[str, ...]] = []
    for file in files:
        rule_set = file.read.rule_set
        rules = {rule.id: rule for rule in rule_set.rules}
        asked = [each for each in labelled if each.question.task == file.task.name]
        evaluated = _evaluated(rule_set, asked, pack)
        for firings in count_firings(rule_set, evaluated, fitted_on=_fitted_on(file, asked)):
            if as_json:
                put_json({"what": "firings", "task": file.task.name, **_firings_fields(firings)})
            else:
                rows.append(_row(firings, rules[firings.rule], file))
        say(f"{file.task.name}: {len(asked)} questions ({view} view, {settings.readings} readings)")
    if not as_json:
        columns = (Column("rule"), Column("then"), *map(number_column, _COUNTS))
        print_table(columns, rows, under=_UNDER, box=HEAVY_HEAD)


def _fitted_on(file: RulesFile, asked: Sequence[LabelledQuestion]) -> dict[str, list[str]]:
    """Rule id → ids of the examples whose dialogue it was fitted on, at whatever moment."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for each in asked:
        named[each.example_id].add(each.example_id)
        named[each.dialogue_id].add(each.example_id)
    known = read_fitted_on(file.path.parent / "fitted.json")
    return {
        rule: [example for each in ids if each in named for example in named[each]]
        for rule, ids in known.items()
    }


def _evaluated(
    rule_set: RuleSet, asked: Sequence[LabelledQuestion], pack: Domain
) -> Iterator[LabelledEvaluation]:
    for each in asked:
        evaluation = evaluate(rule_set, each.evidence, pack.lexicon)
        yield LabelledEvaluation(
            example_id=each.example_id, evaluation=evaluation, label=each.label
        )


def _row(firings: Firings, rule: Rule, file: RulesFile) -> tuple[str, ...]:
    reliability, interval = firings.reliability, firings.interval
    return (
        file_and_line(file.read.places[rule.id]),
        rule.label,
        f"{firings.fired} of {firings.examples}",
        f"{firings.coverage:.3f}",
        str(firings.overlaps),
        str(firings.conflicts),
        str(firings.correct),
        "" if reliability is None else f"{reliability:.2f}",
        "" if interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}",
    )


def _firings_fields(firings: Firings) -> dict[str, Any]:
    return {
        "rule": firings.rule,
        "examples": firings.examples,
        "fired": firings.fired,
        "coverage": firings.coverage,
        "overlaps": firings.overlaps,
        "conflicts": firings.conflicts,
        "correct": firings.correct,
        "incorrect": firings.incorrect,
        "reliability": firings.reliability,
        "interval": firings.interval,
    }
