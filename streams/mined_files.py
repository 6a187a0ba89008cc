"""What was mined, as a folder for `kdsl release build --rules`."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from rule_store import Rule, RuleSet, format_rules, print_rules
from rule_store.printing import reading_order
from rule_store.reliability import FittedReliability
from streams.errors import InvalidSettings
from streams.held_out_votes import vote_line
from streams.pack_files import read_text
from streams.rule_mining import MinedTask
from streams.whole_files import write_whole

T = TypeVar("T")


def write_mined(mined: Sequence[MinedTask], folder: Path) -> None:
    """Write `<task>.rules`, `fitted.json` and `votes.jsonl`; each whole or not at all.

    What the folder has of other tasks stays.

    Raises:
        InvalidSettings: a file of the folder is not as it was written, or cannot be.
    """
    names = {each.name for each in mined}
    fitted, votes = folder / "fitted.json", folder / "votes.jsonl"
    rows = _of_others(fitted, lambda text: _other_rows(text, names)) or {}
    lines = _of_others(votes, lambda text: _other_lines(text, names)) or []
    for each in mined:
        rows |= _fitted_rows(each)
        lines += _vote_lines(each)
        write_whole(folder / f"{each.name}.rules", rules_text(each))
    printed = (f"{json.dumps(rule)}: {json.dumps(row)}" for rule, row in rows.items())
    write_whole(fitted, "{\n" + ",\n".join(printed) + "\n}\n")
    write_whole(votes, "".join(f"{line}\n" for line in lines))


def rules_text(mined: MinedTask) -> str:
    """Print the rules, the pack's own first; a note says what is known of each mined one."""
    chosen = mined.mined.chosen
    rules = tuple(
        _noted(rule, _support(mined, rule), chosen.reliability[rule.id])
        if rule.id in mined.mined.fitted_on
        else rule
        for rule in chosen.rules
    )
    text = print_rules(RuleSet(task=mined.name, rules=rules))
    head = f"# Mined from {len(mined.given.examples)} examples, the pack's own rules first.\n\n"
    return format_rules(head + text)


def _noted(rule: Rule, support: int, known: FittedReliability) -> Rule:
    note = (
        f"covers {support}; right in {known.value:.2f} of new cases "
        f"({known.low:.2f} to {known.high:.2f})"
    )
    return replace(rule, body=reading_order(rule.body), note=note)


def _support(mined: MinedTask, rule: Rule) -> int:
    counts = mined.mined.chosen.training[rule.id]
    return counts.right + counts.wrong


def _fitted_rows(mined: MinedTask) -> dict[str, dict[str, Any]]:
    """By rule id; a written rule was fitted on no example."""
    return {
        rule.id: {
            "task": mined.name,
            "reliability": known.value,
            "low": known.low,
            "high": known.high,
            "support": _support(mined, rule),
            "example_ids": list(mined.mined.fitted_on.get(rule.id, ())),
        }
        for rule in mined.mined.chosen.rules
        for known in [mined.mined.chosen.reliability[rule.id]]
    }


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
        return read(read_text(path))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidSettings(
            f"{path} is not what `kdsl rules mine` writes: remove it, or give another --out"
        ) from error


def _other_rows(text: str, names: Collection[str]) -> dict[str, dict[str, Any]]:
    return {rule: row for rule, row in json.loads(text).items() if row["task"] not in names}


def _other_lines(text: str, names: Collection[str]) -> list[str]:
    return [line for line in text.splitlines() if json.loads(line)["task"] not in names]
