"""Rules for a task of which no example is labelled: the pack's own, and what descriptions give."""

from collections.abc import Sequence
from dataclasses import dataclass

from rule_store import Rule
from rule_store.mining.unlabelled import Estimates, UnlabelledEvidence
from rule_store.predicates import Has
from streams.described_labels import described, estimated
from streams.domain import Domain, Task
from streams.errors import DatasetError
from streams.unlabelled import UnlabelledQuestion
from streams.unlabelled_tasks import unlabelled_of

# A rule that is wrong more often than right is worse than none.
_LEAST_ACCURACY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class UntaughtTask:
    """Rules that no labelled example has judged.

    rules: the pack's own first.
    described: ids of those that descriptions gave.
    left_out: how many more descriptions gave that the examples speak against.
    estimates: what the unlabelled examples tell of the rules.
    messages: what is wrong with examples that were left out.
    """

    task: Task
    rules: tuple[Rule, ...]
    described: frozenset[str]
    left_out: int
    estimates: Estimates
    messages: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.task.name


def without_labels(
    task: Task,
    domain: Domain,
    examples: Sequence[UnlabelledEvidence],
    *,
    messages: Sequence[str] = (),
) -> UntaughtTask:
    """Put together what is known of a task before anybody labels an example.

    Of the rules that descriptions give those stay that are right at least half the time, as far as
    agreement with the others can tell, and of phrases those that somebody said.
    """
    written = domain.rule_sets[task.name].rules
    offered = described(task, domain, names=True)
    told = estimated(task, (*written, *offered), examples, domain.lexicon)
    kept = [rule for rule in offered if _plausible(rule, told)]
    rules = (*written, *kept)
    return UntaughtTask(
        task=task,
        rules=rules,
        described=frozenset(rule.id for rule in kept),
        left_out=len(offered) - len(kept),
        estimates=estimated(task, rules, examples, domain.lexicon),
        messages=tuple(messages),
    )


def untaught_tasks(
    asked: Sequence[UnlabelledQuestion], domain: Domain, *, tasks: Sequence[str] = ()
) -> tuple[UntaughtTask, ...]:
    """Do so for every task that somebody asked; for those named when some are.

    Raises:
        DatasetError: no example asks a wanted task, or any.
    """
    found = []
    for name in tasks or domain.tasks:
        given = unlabelled_of(name, asked)
        if given.examples:
            task = domain.tasks[name]
            found.append(without_labels(task, domain, given.examples, messages=given.messages))
        elif tasks or given.messages:
            raise DatasetError("\n".join([_nothing(name), *given.messages]))
    if not found:
        raise DatasetError(_nothing(" or ".join(domain.tasks)))
    return tuple(found)


def _nothing(names: str) -> str:
    return (
        f"no unlabelled example asks {names}: give dialogues that end with a customer's words or "
        "screenshot, or name the task in `tasks`"
    )


def _plausible(rule: Rule, told: Estimates) -> bool:
    known = told.rules[rule.id]
    said = known.fired > 0 or not any(isinstance(each.predicate, Has) for each in rule.body)
    return said and known.accuracy >= _LEAST_ACCURACY
