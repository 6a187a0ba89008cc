"""`kdsl rules`: what the author of rules needs before they go into a release."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.box import HEAVY_HEAD
from rich.console import Console
from rich.table import Column
from rich.text import Text

from rule_store import Mentions, Place, Rule, Trial, format_rules, print_body, try_examples
from streams.cli import rules_explain, rules_lint, rules_mine
from streams.cli.explained import explanation_lines, file_and_line, verdict_words
from streams.cli.options import DomainName
from streams.cli.rules_read import RulesPaths, read_rules_at
from streams.cli.tables import print_table, text_column
from streams.cli.terminal import printable, say, stdout
from streams.errors import InvalidDomain
from streams.pack_files import read_text
from streams.rule_files import RulesFile

app = typer.Typer(
    no_args_is_help=True, help="Mine, format, lint, test, show and explain rules: `.rules` files."
)


@app.command("format")
def format_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="`.rules` files, or folders of them.")
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 naming what would change.")
    ] = False,
) -> None:
    """Bring rules into the one lay-out, in place; comments stay, and what is said stays."""
    files = tuple(_files(paths))
    texts = [(file, read_text(file)) for file in files]
    # All are read before one is written: a text at fault leaves every file as it was.
    laid_out = [(file, text, format_rules(text, origin=str(file))) for file, text in texts]
    changed = [(file, new) for file, text, new in laid_out if new != text]
    for file, new in changed:
        if not check:
            _replace(file, new)
        say(f"{file}: {'would change' if check else 'formatted'}")
    say(f"{len(files) - len(changed)} of {len(files)} files were in lay-out already")
    if check and changed:
        say(f"run: kdsl rules format {' '.join(str(file) for file, _ in changed)}")
        raise typer.Exit(1)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        found = sorted(path.rglob("*.rules")) if path.is_dir() else [path]
        if not found:
            raise InvalidDomain(f"{path}: no .rules file there; give a file or another folder")
        if not path.is_dir() and path.suffix != ".rules":
            raise InvalidDomain(f"{path}: a file of rules ends in .rules; give one, or a folder")
        yield from found


def _replace(file: Path, text: str) -> None:
    """Write beside the file and swap, so that a crash leaves the old rules or the new."""
    target = file.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        shutil.copymode(target, beside)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InvalidDomain(f"{file} cannot be written: {error.strerror}") from error


app.command("lint")(rules_lint.lint)
app.command("mine")(rules_mine.mine)


@app.command("test")
def try_out(paths: RulesPaths = None, domain: DomainName = None) -> None:
    """Put the `example "…" -> label` of rules to the rules beside them; exit 1 if one fails.

    Each rule counts for the pack's assumed reliability, so rules that agree answer.
    """
    pack, files = read_rules_at(paths, domain)
    trials = [
        (file, trial)
        for file in files
        for trial in try_examples(
            file.read, pack.lexicon, reliability=file.task.assumed_reliability
        )
    ]
    failed = [(file, trial) for file, trial in trials if not trial.passed]
    console = stdout()
    for file, trial in failed:
        _print_trial(console, trial, file.read.places)
    if not trials:
        label = printable(files[0].task.label_names[0])
        say(f'no examples; write one below a rule: example "what the customer says" -> {label}')
    else:
        say(f"{len(trials) - len(failed)} of {len(trials)} examples passed")
    raise typer.Exit(1 if failed else 0)


def _print_trial(console: Console, trial: Trial, places: Mapping[str, Place]) -> None:
    wanted = "nothing" if trial.example.label is None else printable(trial.example.label)
    line = Text(f"{printable(str(trial.example.place))}: ")
    line.append(f"expected {wanted}, but {verdict_words(trial.verdict)}", style="bold red")
    console.print(line, soft_wrap=True)
    marks = not console.is_terminal
    lines = explanation_lines(trial.explanation, trial.evidence, places=places, marks=marks)
    for each in lines:
        console.print(each, soft_wrap=True)


@app.command("show")
def show(
    paths: RulesPaths = None,
    domain: DomainName = None,
    label: Annotated[
        str | None, typer.Option(help="Only the rules that give this label. (default: all)")
    ] = None,
    concept: Annotated[
        str | None,
        typer.Option(
            help="Only the rules that mention this concept; also its phrases. (default: all)"
        ),
    ] = None,
) -> None:
    """List rules: id, when, then, note, and where they stand."""
    pack, files = read_rules_at(paths, domain)
    _check_label(label, files)
    if concept is not None:
        phrases = pack.lexicon.phrases(concept)
        say(f"{concept}: {len(phrases)} phrases")
        for phrase in phrases:
            stdout().print(f"  {printable(phrase)}", soft_wrap=True)
    rows: list[tuple[str, ...]] = []
    for file in files:
        rules = [each for each in file.read.rule_set.rules if _wanted(each, label, concept)]
        rows += (_row(rule, file) for rule in rules)
        given = len({rule.label for rule in rules})
        say(
            f"{file.task.name}: {len(rules)} of {len(file.read.rule_set.rules)} rules, "
            f"for {given} of {len(file.task.labels)} labels"
        )
    texts = (text_column("when"), Column("then"), text_column("note", cells=20))
    print_table((Column("rule"), *texts, Column("where")), rows, box=HEAVY_HEAD)


def _check_label(label: str | None, files: Sequence[RulesFile]) -> None:
    known = {name: None for file in files for name in file.task.label_names}
    if label is not None and label not in known:
        raise typer.BadParameter(f"no label {label!r}; known: {', '.join(known)}")


def _wanted(rule: Rule, label: str | None, concept: str | None) -> bool:
    predicates = (literal.predicate for literal in rule.body)
    named = {each.concept for each in predicates if isinstance(each, Mentions)}
    return label in (None, rule.label) and (concept is None or concept in named)


def _row(rule: Rule, file: RulesFile) -> tuple[str, ...]:
    return (
        rule.id,
        print_body(rule.body),
        rule.label,
        rule.note or "",
        file_and_line(file.read.places[rule.id]),
    )


app.command("explain")(rules_explain.explain)
