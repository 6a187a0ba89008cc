"""Builds a release from rules, reliabilities and, where given, a bundle's held-out answers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from inference.bundle import Bundle, OutOfFold
from rule_store import (
    CompiledRules,
    Evaluation,
    Release,
    Reliability,
    Rule,
    RuleSet,
    TaskRules,
)
from streams.domain import Domain, Task, read_rules_file
from streams.errors import DatasetError, InvalidDomain, LabelMismatch
from streams.fitting import FitRow, fit_weights
from streams.fusion import DEFAULT_WEIGHTS
from streams.held_out_votes import read_votes
from streams.labelled import LabelledQuestion

# Weighted F1 that answering by rules alone may cost; what it buys is model calls saved.
F1_GIVEN_UP = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """The rules of one task with what is known of them.

    fitted: rule id → reliability estimated on held-out firings; the others are assumed.
    held_out: example id → ids of the rules that fired on it out of fold; None when no rule was
        mined from these examples, so that plain evaluation is held out already.
    stand_ins: rules that are named in `held_out` and were mined without a fold, by id; each with
        its reliability in `stand_in_reliability`.
    """

    rule_set: RuleSet
    fitted: Mapping[str, float] = field(default_factory=dict)
    held_out: Mapping[str, frozenset[str]] | None = None
    stand_ins: Mapping[str, Rule] = field(default_factory=dict)
    stand_in_reliability: Mapping[str, float] = field(default_factory=dict)

    def reliability(self, task: Task) -> dict[str, Reliability]:
        return {
            rule.id: Reliability(value=self.fitted[rule.id], fitted=True)
            if rule.id in self.fitted
            else Reliability(value=task.assumed_reliability, fitted=False)
            for rule in self.rule_set.rules
        }


def pack_rules(domain: Domain) -> dict[str, RuleSource]:
    """The rules that the domain pack brings."""
    return {task: RuleSource(rule_set=domain.rule_sets[task]) for task in domain.tasks}


def folder_rules(folder: Path, domain: Domain) -> dict[str, RuleSource]:
    """The rules of a folder, as `kdsl rules mine` writes it, for the tasks it holds.

    Raises:
        InvalidDomain: no rules there, or malformed; names file, place and cure.
    """
    fitted = _read_fitted(folder / "fitted.json")
    sources = {}
    for name, task in domain.tasks.items():
        path = folder / f"{name}.rules"
        if path.is_file():
            votes = read_votes(folder / "votes.jsonl", task)
            sources[name] = RuleSource(
                rule_set=read_rules_file(path, task=task, lexicon=domain.lexicon),
                fitted=fitted,
                held_out=votes.fired if votes else None,
                stand_ins=votes.stand_ins if votes else {},
                stand_in_reliability=votes.reliability if votes else {},
            )
    if not sources:
        wanted = " or ".join(f"{name}.rules" for name in domain.tasks)
        raise InvalidDomain(f"{folder}: no rules there; expected {wanted}")
    return sources


def _read_fitted(path: Path) -> dict[str, float]:
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        fitted = {str(rule): float(row["reliability"]) for rule, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidDomain(f"{path}: not a map of rule id to reliability: {error!r}") from error
    if not all(0.0 <= value <= 1.0 for value in fitted.values()):
        raise InvalidDomain(f"{path}: a reliability is a number from 0 to 1")
    return fitted


def build_release(
    domain: Domain,
    sources: Mapping[str, RuleSource],
    *,
    bundle: Bundle | None = None,
    labelled: Sequence[LabelledQuestion] = (),
    settings: Mapping[str, str | int | float] | None = None,
) -> Release:
    """Put together everything that decides.

    Args:
        domain: labels, lexicon, assumed reliabilities.
        sources: the rules of every task.
        bundle: the model whose out-of-fold answers λ and the thresholds are fitted with; None
            takes the documented defaults.
        labelled: the examples it was trained on.
        settings: what else a rebuild needs: view, readings, …

    Raises:
        LabelMismatch: the bundle was trained for other labels.
        DatasetError: the bundle holds no out-of-fold answers for the examples of a task.
    """
    if bundle is not None and bundle.labels_digest != domain.labels_digest:
        raise LabelMismatch(
            f"bundle {bundle.digest} was trained for other labels than those of the pack "
            f"{domain.name!r}: train it with `kdsl model train --domain {domain.name}`"
        )
    tasks = {
        name: _build_task(domain, task, sources[name], bundle, labelled)
        for name, task in domain.tasks.items()
    }
    return Release(
        domain=domain.name,
        labels_digest=domain.labels_digest,
        tasks=tasks,
        lexicon=domain.lexicon,
        bundle=bundle.digest if bundle else None,
        examples_digest=examples_digest(labelled) if bundle else None,
        settings=dict(settings or {}),
    )


def _build_task(
    domain: Domain,
    task: Task,
    source: RuleSource,
    bundle: Bundle | None,
    labelled: Sequence[LabelledQuestion],
) -> TaskRules:
    reliability = source.reliability(task)
    # Without a model there is nobody else to ask: rules the pack believes in less answer too.
    answer_at = min(DEFAULT_WEIGHTS.answer_at, task.assumed_reliability)
    weights = replace(DEFAULT_WEIGHTS, answer_at=answer_at)
    if bundle is not None:
        rows = _fit_rows(domain, task, source, bundle, labelled)
        values = {rule: known.value for rule, known in reliability.items()}
        values |= source.stand_in_reliability
        weights = fit_weights(rows, values, labels=task.label_names, f1_given_up=F1_GIVEN_UP)
    return TaskRules(
        labels=task.label_names,
        rules=source.rule_set.rules,
        reliability=reliability,
        answer_at=weights.answer_at,
        fuse_at=weights.fuse_at,
        vote_weight=weights.vote_weight,
        defaults=bundle is None,
    )


def _fit_rows(
    domain: Domain,
    task: Task,
    source: RuleSource,
    bundle: Bundle,
    labelled: Sequence[LabelledQuestion],
) -> list[FitRow]:
    answers: dict[str, OutOfFold] = {
        each.example_id: each for each in bundle.out_of_fold() if each.task == task.name
    }
    asked = [each for each in labelled if each.question.task == task.name]
    unknown = sum(each.example_id not in answers for each in asked)
    if unknown or not asked:
        raise DatasetError(
            f"bundle {bundle.digest} has no out-of-fold answer for {unknown} of {len(asked)} "
            f"{task.name} examples: give exactly the --examples (and the --view) it was trained "
            "with"
        )
    rules = CompiledRules.of(source.rule_set, domain.lexicon)
    return [
        FitRow(
            label=each.label,
            probabilities=dict(
                zip(task.label_names, answers[each.example_id].probabilities, strict=True)
            ),
            evaluation=_held_out_evaluation(each, source, rules),
        )
        for each in asked
    ]


def _held_out_evaluation(
    each: LabelledQuestion, source: RuleSource, rules: CompiledRules
) -> Evaluation:
    if source.held_out is None:
        return rules.evaluate(each.evidence)
    ids = source.held_out.get(each.example_id, frozenset())
    in_use = (rule for rule in source.rule_set.rules if rule.id in ids)
    stand_ins = (source.stand_ins[each] for each in sorted(ids & source.stand_ins.keys()))
    return Evaluation(fired=(*in_use, *stand_ins), undecided=())


def examples_digest(labelled: Sequence[LabelledQuestion]) -> str:
    """SHA-256 over examples, labels and what rules may know of them, in any order of files."""
    rows = sorted(
        json.dumps(
            [
                each.example_id,
                each.question.task,
                each.question.image_id,
                each.label,
                sorted(each.evidence.texts.items()),
                sorted(each.evidence.facts.items()),
            ],
            ensure_ascii=False,
        )
        for each in labelled
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
