"""What the summary of a mining says of examples without labels."""

from collections.abc import Collection, Sequence
from html import escape

from rule_store import Rule, print_body
from rule_store.mining.self_training import SelfTrainingTrial
from rule_store.mining.unlabelled import Estimates
from rule_store.printing import reading_order
from streams.html_tables import bullets, cell, code, facts_table, list_table, number
from streams.untaught import UntaughtTask

_SHOWN = 30
TITLE = "<h3>Without labels</h3>"


def trial_said(trial: SelfTrainingTrial) -> str:
    """Whether self-training is on, and why."""
    came = (
        f"weighted F1 on held-out labelled examples {trial.before:.3f} without and "
        f"{trial.after:.3f} with it; {trial.gained} answers became right and {trial.lost} wrong"
    )
    if not trial.labelled:
        return "self-training is off: the rules are sure enough of no unlabelled example"
    return f"self-training is {'on' if trial.wins else 'off'}: {came}"


def taught_section(trial: SelfTrainingTrial, told: Estimates, rules: Sequence[Rule]) -> str:
    """Below the figures of labelled examples: what those without labels brought and tell."""
    rows = [
        ("self-training", cell(trial_said(trial))),
        (
            "labelled by the rules",
            cell(
                f"{trial.labelled} of {trial.unlabelled}, of which {trial.wrong:.1%} are expected "
                "to be wrong"
            ),
        ),
        *_coverage(told),
    ]
    conflicting = sorted(rules, key=lambda rule: -told.rules[rule.id].conflicts)
    named = [rule for rule in conflicting if told.rules[rule.id].conflicts]
    return "\n".join(
        [
            TITLE,
            facts_table(rows),
            f"<p>The rules most often at odds with others there, at most {_SHOWN}:</p>"
            if named
            else "",
            _rules_table(named[:_SHOWN], told, ()) if named else "",
        ]
    )


def untaught_section(task: UntaughtTask) -> str:
    """The whole of a task of which no example is labelled."""
    own = len(task.rules) - len(task.described)
    left_out = (
        f"; {task.left_out} more left out, which agreement or coverage speaks against"
        if task.left_out
        else ""
    )
    rows = [
        ("labelled examples", cell("none: every reliability is assumed")),
        ("assumed reliability", cell(f"{task.task.assumed_reliability:g}")),
        ("rules", cell(f"{own} of the pack, {len(task.described)} from descriptions{left_out}")),
        *_coverage(task.estimates),
    ]
    return "\n".join(
        [
            f"<h2>{escape(task.name)}</h2>",
            bullets(task.messages),
            TITLE,
            "<p>Agreement is how often a rule is right if rules err apart. Rules that look for the "
            "same words confirm each other, and one that fires alone keeps what is assumed: it "
            "says which rules to look at. Only labels tell how good they are.</p>",
            facts_table(rows),
            _rules_table(task.rules, task.estimates, task.described),
        ]
    )


def _coverage(told: Estimates) -> list[tuple[str, str]]:
    whole = max(1, told.examples)
    return [
        ("examples without labels", cell(str(told.examples))),
        ("at which a rule fires", cell(f"{told.covered / whole:.1%}")),
        ("at which rules of two labels fire", cell(f"{told.conflicting / whole:.1%}")),
    ]


def _rules_table(rules: Sequence[Rule], told: Estimates, described: Collection[str]) -> str:
    head = ("when", "then", "fires at", "with others", "against others", "agreement")
    rows = [
        [
            code(print_body(reading_order(rule.body))),
            cell(f"{rule.label} (description)" if rule.id in described else rule.label),
            number(str(known.fired)),
            number(str(known.overlaps)),
            number(str(known.conflicts)),
            number(f"{known.accuracy:.2f}" if known.overlaps else "–"),
        ]
        for rule in rules
        for known in [told.rules[rule.id]]
    ]
    return list_table(head, rows)
