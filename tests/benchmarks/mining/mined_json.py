"""What was mined ⇄ JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rule_store.language import read_rules
from rule_store.lexicon import Lexicon
from rule_store.mining.mined import HeldOutVotes, JudgedRules, Mined
from rule_store.printing import print_rules
from rule_store.reliability import FittedReliability, ReliabilityModel, TrainingCounts
from rule_store.rules import RuleSet

Fields = dict[str, Any]


def fields_of(mined: Mined, *, task: str) -> Fields:
    return {
        "chosen": _judged_fields(mined.chosen, task),
        "by_fold": [_judged_fields(each, task) for each in mined.by_fold],
        "votes": [asdict(each) for each in mined.votes],
        "fitted_on": dict(mined.fitted_on),
        "model": asdict(mined.model),
    }


def mined_of(fields: Fields, *, task: str, label_names: Sequence[str], lexicon: Lexicon) -> Mined:
    """Take back what `fields_of` made.

    Args:
        fields: as they were read.
        task, label_names, lexicon: of the training.
    """

    def judged(each: Fields) -> JudgedRules:
        rules = read_rules(
            each["rules"], task=task, labels=label_names, lexicon=lexicon, origin="cache"
        ).rules
        return JudgedRules(
            rules=rules,
            training={key: TrainingCounts(**row) for key, row in each["training"].items()},
            reliability={key: FittedReliability(**row) for key, row in each["reliability"].items()},
        )

    model = fields["model"]
    return Mined(
        chosen=judged(fields["chosen"]),
        by_fold=tuple(map(judged, fields["by_fold"])),
        votes=tuple(
            HeldOutVotes(**{**row, "rules": tuple(row["rules"])}) for row in fields["votes"]
        ),
        fitted_on={key: tuple(ids) for key, ids in fields["fitted_on"].items()},
        model=ReliabilityModel(**{**model, "weights": tuple(model["weights"])}),
    )


def _judged_fields(judged: JudgedRules, task: str) -> Fields:
    return {
        "rules": print_rules(RuleSet(task=task, rules=judged.rules)),
        "training": {key: asdict(row) for key, row in judged.training.items()},
        "reliability": {key: asdict(row) for key, row in judged.reliability.items()},
    }
