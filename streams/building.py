"""Builds a release from rules, reliabilities and, where given, a bundle's held-out answers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from inference.bundle import Bundle, OutOfFold
from rule_store import (
    CompiledRules,
    Release,
    Reliability,
    RuleSet,
    TaskRules,
    cast_votes,
)
from streams.domain import Domain, Task, read_rules_file
from streams.errors import DatasetError, InvalidDomain, LabelMismatch
from streams.fitting import FitRow, fit_weights
from streams.fusion import DEFAULT_WEIGHTS, FusionWeights
from streams.held_out_votes import HeldOutVotes, read_votes
from streams.labelled import LabelledQuestion
from streams.mined_folder import check_whole

# Weighted F1 that answering by rules alone may cost; what it buys is model calls saved.
F1_GIVEN_UP = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """The rules of one task with what is known of them.

    fitted: rule id → reliability estimated on held-out firings; the others are assumed.
    held_out: what rules that were mined without each example say of it; None when no rule was
        mined from these examples, so that plain evaluation is held out already.
    """

    rule_set: RuleSet
    fitted: Mapping[str, float] = field(default_factory=dict)
    held_out: HeldOutVotes | None = None

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
        InvalidDomain: no rules there, malformed, or half written; names file, place and cure.
    """
    check_whole(folder)
    fitted = _read_fitted(folder / "fitted.json")
    sources = {}
    for name, task in domain.tasks.items():
        path = folder / f"{name}.rules"
        if path.is_file():
            sources[name] = RuleSource(
                rule_set=read_rules_file(path, task=task, lexicon=domain.lexicon),
                fitted=fitted,
                held_out=read_votes(folder / "votes.jsonl", task),
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
    kept: Mapping[str, FusionWeights] | None = None,
) -> Release:
    """Put together everything that decides.

    Args:
        domain: labels, lexicon, assumed reliabilities.
        sources: the rules of every task.
        bundle: the model whose out-of-fold answers λ and the thresholds are fitted with; None
            takes the documented defaults.
        labelled: the examples it was trained on.
        settings: what else a rebuild needs: view, readings, …
        kept: weights fitted with this bundle before, for tasks without an example now; without
            them such a task takes the documented defaults.

    Raises:
        LabelMismatch: the bundle was trained for other labels.
        DatasetError: the bundle holds no out-of-fold answer for an example, or there is none.
    """
    if bundle is not None and bundle.labels_digest != domain.labels_digest:
        raise LabelMismatch(
            f"bundle {bundle.digest} was trained for other labels than those of the pack "
            f"{domain.name!r}: train it with `kdsl model train --domain {domain.name}`"
        )
    if bundle is not None and not labelled:
        raise DatasetError(
            f"bundle {bundle.digest} has no out-of-fold answer for any example given: give the "
            "--examples (and the --view) it was trained with"
        )
    weights = dict(kept or {})
    if bundle is not None:
        weights |= {
            name: fit_weights(rows, labels=task.label_names, f1_given_up=F1_GIVEN_UP)
            for name, task in domain.tasks.items()
            if (rows := _fit_rows(domain, task, sources[name], bundle, labelled))
        }
    tasks = {
        name: _build_task(task, sources[name], weights.get(name))
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


def _build_task(task: Task, source: RuleSource, fitted: FusionWeights | None) -> TaskRules:
    # Without a model there is nobody else to ask: rules the pack believes in less answer too.
    answer_at = min(DEFAULT_WEIGHTS.answer_at, task.assumed_reliability)
    weights = fitted or replace(DEFAULT_WEIGHTS, answer_at=answer_at)
    return TaskRules(
        labels=task.label_names,
        rules=source.rule_set.rules,
        reliability=source.reliability(task),
        answer_at=weights.answer_at,
        fuse_at=weights.fuse_at,
        vote_weight=weights.vote_weight,
        defaults=fitted is None,
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
    if unknown:
        raise DatasetError(
            f"bundle {bundle.digest} has no out-of-fold answer for {unknown} of {len(asked)} "
            f"{task.name} examples: give exactly the --examples (and the --view) it was trained "
            "with"
        )
    votes = _held_out_votes(domain, task, source, asked)
    return [
        FitRow(
            label=each.label,
            probabilities=dict(
                zip(task.label_names, answers[each.example_id].probabilities, strict=True)
            ),
            votes=votes.get(each.example_id, ()),
        )
        for each in asked
    ]


def _held_out_votes(
    domain: Domain, task: Task, source: RuleSource, asked: Sequence[LabelledQuestion]
) -> HeldOutVotes:
    if source.held_out is not None:
        return source.held_out
    rules = CompiledRules.of(source.rule_set, domain.lexicon)
    known = {rule: each.value for rule, each in source.reliability(task).items()}
    return {
        each.example_id: cast_votes(rules.evaluate(each.evidence).fired, known) for each in asked
    }


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
