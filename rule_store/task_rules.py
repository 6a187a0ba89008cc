"""Task rules: what a release says of one task, and how that is written and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rule_store.canonical import Fields
from rule_store.errors import InvalidRelease, RulesRefused, part, shown
from rule_store.lexicon import NAME_CHARS, Lexicon, is_name
from rule_store.predicates import Has, Line, Mentions, Predicate, Reaches
from rule_store.rules import Literal, Rule, RuleSet, literal_fields

LABELS = 10_000
VOTE_WEIGHT_MAX = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How far a rule is to be believed.

    value: estimated share of its firings that are right, in [0, 1].
    fitted: estimated on held-out firings; False when it is the domain pack's assumed one.
    """

    value: float
    fitted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRules:
    """What decides one task.

    labels: all labels of the task, in the domain pack's order.
    rules: in rule-set order; kept as they decide, so bodies are sorted and notes left out.
    reliability: rule id → its reliability; holds exactly the ids of `rules`.
    answer_at: least reliability at which rules answer without the model, in [0, 1].
    fuse_at: least confidence at which the fused label is given, in [0, 1].
    vote_weight: λ ≥ 0, what a vote weighs against the model's log-probability.
    defaults: `answer_at`, `fuse_at` and λ are the documented defaults, not fitted to anything.
    """

    labels: tuple[str, ...]
    rules: tuple[Rule, ...]
    reliability: Mapping[str, Reliability]
    answer_at: float
    fuse_at: float
    vote_weight: float
    defaults: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(rule.canonical() for rule in self.rules))

    def reliabilities(self) -> Mapping[str, float]:
        """Rule id → reliability, as `decide` and `votes` take it."""
        return {rule_id: each.value for rule_id, each in self.reliability.items()}


def task_fields(task: TaskRules) -> dict[str, object]:
    return {
        "labels": list(task.labels),
        "rules": [_rule_fields(rule, task.reliability[rule.id]) for rule in task.rules],
        "answer_at": _number(task.answer_at),
        "fuse_at": _number(task.fuse_at),
        "vote_weight": _number(task.vote_weight),
        "defaults": task.defaults,
    }


def _rule_fields(rule: Rule, reliability: Reliability) -> dict[str, object]:
    return {
        "id": rule.id,
        "body": [literal_fields(literal) for literal in rule.body],
        "label": rule.label,
        "reliability": _number(reliability.value),
        "fitted": reliability.fitted,
    }


def _number(value: float) -> float:
    """Write 1 as 1.0 and -0.0 as 0.0: equal numbers have one form."""
    return float(value) + 0.0


def read_task(fields: Fields, task: str) -> TaskRules:
    rules: list[Rule] = []
    reliability: dict[str, Reliability] = {}
    for position, item in enumerate(fields.items("rules")):
        entry = fields.of(item, f"rules[{position}]")
        rule = _read_rule(entry, task)
        if entry.text("id") != rule.id:
            raise entry.refuse("id", f"is not {rule.id}, the digest of what stands beside it")
        rules.append(rule)
        reliability[rule.id] = Reliability(
            value=entry.number("reliability"), fitted=entry.flag("fitted")
        )
    return TaskRules(
        labels=fields.texts("labels"),
        rules=tuple(rules),
        reliability=reliability,
        answer_at=fields.number("answer_at"),
        fuse_at=fields.number("fuse_at"),
        vote_weight=fields.number("vote_weight"),
        defaults=fields.flag("defaults"),
    )


def _read_rule(entry: Fields, task: str) -> Rule:
    literals = [entry.of(item, f"body[{i}]") for i, item in enumerate(entry.items("body"))]
    label = entry.text("label")
    try:
        return Rule(task=task, body=tuple(map(_read_literal, literals)), label=label)
    except RulesRefused as error:
        raise InvalidRelease(entry.where, error.fault) from None


def _read_literal(fields: Fields) -> Literal:
    return Literal(
        predicate=_read_predicate(fields), negated="not" in fields.values and fields.flag("not")
    )


def _read_predicate(fields: Fields) -> Predicate:
    """The one test of a literal; one that a later kdsl brings is refused, never passed over."""
    match [name for name in ("has", "line", "mentions", "reaches") if name in fields.values]:
        case ["has"]:
            return Has(channel=fields.text("channel"), phrase=fields.text("has"))
        case ["line"]:
            return Line(channel=fields.text("channel"), line=fields.text("line"))
        case ["mentions"]:
            count = fields.integer("at_least") if "at_least" in fields.values else 1
            concept = fields.text("mentions")
            return Mentions(channel=fields.text("channel"), concept=concept, at_least=count)
        case ["reaches"]:
            return Reaches(fact=fields.text("fact"), value=fields.number("reaches"))
    raise fields.refusal(
        fields.where, 'must hold one of "has", "line", "mentions" and "reaches"; update kdsl'
    )


def check_task(name: str, task: TaskRules, lexicon: Lexicon) -> None:
    where = f"tasks.{part(name)}"
    if not is_name(name) or not all(map(is_name, task.labels)):
        raise InvalidRelease(where, f"names and labels have 1 to {NAME_CHARS} characters")
    labels = frozenset(task.labels)
    if not 0 < len(labels) <= LABELS or len(labels) != len(task.labels):
        raise InvalidRelease(f"{where}.labels", f"must be 1 to {LABELS}, each once")
    for field, value, most in (
        ("answer_at", task.answer_at, 1.0),
        ("fuse_at", task.fuse_at, 1.0),
        ("vote_weight", task.vote_weight, VOTE_WEIGHT_MAX),
    ):
        _check_range(f"{where}.{field}", value, most)
    _check_rules(where, name, task, labels, lexicon)


def _check_rules(
    where: str, name: str, task: TaskRules, labels: frozenset[str], lexicon: Lexicon
) -> None:
    try:
        RuleSet(task=name, rules=task.rules)
    except RulesRefused as error:
        raise InvalidRelease(f"{where}.rules", error.fault) from None
    if set(task.reliability) != {rule.id for rule in task.rules}:
        raise InvalidRelease(f"{where}.reliability", "must name each rule's id and no other")
    for position, rule in enumerate(task.rules):
        at = f"{where}.rules[{position}]"
        _check_range(f"{at}.reliability", task.reliability[rule.id].value, 1.0)
        if rule.label not in labels:
            raise InvalidRelease(at, f"the task has no label {shown(rule.label)}")
        for literal in rule.body:
            predicate = literal.predicate
            if isinstance(predicate, Mentions) and predicate.concept not in lexicon.concepts:
                raise InvalidRelease(at, f"the lexicon lacks {shown(predicate.concept)}")


def _check_range(where: str, value: float, most: float) -> None:
    if not 0.0 <= value <= most:
        raise InvalidRelease(where, f"{value} must be in [0, {most:g}]")
