"""What was mined, as a folder for `kdsl release build --rules`."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from rule_store import Rule, RuleSet, format_rules, print_rules
from rule_store.mining.unlabelled import RuleEstimate
from rule_store.printing import reading_order
from streams.errors import InvalidSettings
from streams.held_out_votes import vote_line
from streams.hold_out import hold_out_of
from streams.mined_folder import check_writable, write_together
from streams.rule_mining import MinedTask
from streams.untaught import UntaughtTask

T = TypeVar("T")

_DESCRIBED = "from the description; "


def write_mined(mined: Sequence[MinedTask | UntaughtTask], folder: Path) -> None:
    """Write `<task>.rules`, `fitted.json` and `votes.jsonl`; `check_whole` tells if not all were.

    What the folder has of other tasks stays. A rule that no labelled example judged is not in
    `fitted.json`, so that a release takes its reliability as assumed.

    Raises:
        InvalidSettings: a file of the folder is not as it was written, or cannot be.
    """
    names = {each.name for each in mined}
    check_writable(folder, names)
    rows = _of_others(folder / "fitted.json", lambda text: _other_rows(text, names)) or {}
    lines = _of_others(folder / "votes.jsonl", lambda text: _other_lines(text, names)) or []
    texts: dict[str, str | None] = {}
    for each in mined:
        if isinstance(each, MinedTask):
            rows |= _fitted_rows(each)
            lines += _vote_lines(each)
            texts[f"{each.name}.rules"] = rules_text(each)
        else:
            texts[f"{each.name}.rules"] = untaught_text(each)
    printed = (f"{json.dumps(rule)}: {json.dumps(row)}" for rule, row in rows.items())
    texts["fitted.json"] = "{\n" + ",\n".join(printed) + "\n}\n"
    # An empty file would say that examples were tried and no rule fired.
    texts["votes.jsonl"] = "".join(f"{line}\n" for line in lines) if lines else None
    write_together(folder, texts)


def rules_text(mined: MinedTask) -> str:
    """Print the rules, the pack's own first; a note says what is known of each of the others."""
    chosen = mined.mined.chosen
    rules = tuple(
        rule if mined.origin(rule.id) == "pack" else _noted(rule, mined) for rule in chosen.rules
    )
    text = print_rules(RuleSet(task=mined.name, rules=rules))
    head = f"# Mined from {_sources(mined)}, the pack's own rules first.\n\n"
    return format_rules(head + text)


def _sources(mined: MinedTask) -> str:
    labelled, trial = _examples(len(mined.given.examples)), mined.trial
    if trial is None or not trial.wins:
        return labelled
    return f"{labelled} and {trial.labelled} that their rules labelled"


def _examples(number: int) -> str:
    return "1 example" if number == 1 else f"{number} examples"


def untaught_text(task: UntaughtTask) -> str:
    """Print the rules, the pack's own first; notes say what unlabelled examples tell of them."""
    told = task.estimates
    rules = tuple(
        replace(rule, note=_assumed(told.rules[rule.id], told.examples, rule.id in task.described))
        if rule.note is None
        else rule
        for rule in task.rules
    )
    text = print_rules(RuleSet(task=task.name, rules=rules))
    head = (
        f"# From {_examples(told.examples)} without labels: the pack's own rules first, then what "
        "descriptions give. Their reliability is assumed.\n\n"
    )
    return format_rules(head + text)


def _assumed(known: RuleEstimate, examples: int, is_described: bool) -> str:
    origin = _DESCRIBED if is_described else ""
    note = f"{origin}fires at {known.fired} of {examples}"
    if known.conflicts:
        note += f", {known.conflicts} of them against another label"
    if known.overlaps:
        note += f"; agreement suggests {known.accuracy:.2f}, assumed all the same"
    return note


def _noted(rule: Rule, mined: MinedTask) -> Rule:
    known = mined.mined.chosen.reliability[rule.id]
    origin = _DESCRIBED if mined.origin(rule.id) == "description" else ""
    note = (
        f"{origin}covers {_support(mined, rule)}; right in {known.value:.2f} of new cases "
        f"({known.low:.2f} to {known.high:.2f})"
    )
    return replace(rule, body=reading_order(rule.body), note=note)


def _support(mined: MinedTask, rule: Rule) -> int:
    counts = mined.mined.chosen.training[rule.id]
    return counts.right + counts.wrong


def _fitted_rows(mined: MinedTask) -> dict[str, dict[str, Any]]:
    """By rule id; a written rule was fitted on no example."""
    given = mined.given
    dialogues = {each.example_id: each.dialogue_id for each in given.unlabelled}
    dialogues |= {each.example_id: each.dialogue_id for each in given.examples}
    split = hold_out_of(dialogues.values())
    return {
        rule.id: {
            "task": mined.name,
            "reliability": known.value,
            "low": known.low,
            "high": known.high,
            "support": _support(mined, rule),
            **split,
            **_fitted_on(mined.mined.fitted_on.get(rule.id, ()), dialogues),
        }
        for rule in mined.mined.chosen.rules
        for known in [mined.mined.chosen.reliability[rule.id]]
    }


def _fitted_on(example_ids: Sequence[str], dialogues: Mapping[str, str]) -> dict[str, list[str]]:
    """Dialogues are named only where an example is one of several moments of its own."""
    found = {"example_ids": list(example_ids)}
    of_them = list(dict.fromkeys(dialogues[each] for each in example_ids))
    return found if of_them == found["example_ids"] else {**found, "dialogue_ids": of_them}


def _vote_lines(mined: MinedTask) -> Iterator[str]:
    folds = [
        {rule.id: (rule.label, judged.reliability[rule.id].value) for rule in judged.rules}
        for judged in mined.mined.by_fold
    ]
    for each in mined.mined.votes:
        fired = {rule_id: folds[each.fold][rule_id] for rule_id in each.rules}
        yield vote_line(example_id=each.example_id, task=mined.name, fold=each.fold, rules=fired)


def _of_others(path: Path, read: Callable[[str], T]) -> T | None:
    if not path.is_file():
        return None
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidSettings(
            f"{path} is not what `kdsl rules mine` writes: remove it, or give another --out"
        ) from error


def _other_rows(text: str, names: Collection[str]) -> dict[str, dict[str, Any]]:
    return {rule: row for rule, row in json.loads(text).items() if row["task"] not in names}


def _other_lines(text: str, names: Collection[str]) -> list[str]:
    return [line for line in text.splitlines() if json.loads(line)["task"] not in names]
