"""What a domain's own words give without any label: rules, and how far they agree."""

from collections.abc import Sequence

from rule_store import Lexicon, Rule
from rule_store.mining.described import described_rules
from rule_store.mining.unlabelled import Estimates, UnlabelledEvidence, estimate, firings
from streams.domain import Domain, Task

# What the customer said last tells the intent; the title at its top tells what a screen is.
_CHANNELS = {"intent": "last", "scene": "screen.top"}


def described(task: Task, domain: Domain, *, names: bool) -> tuple[Rule, ...]:
    """The rules that descriptions and lexicon give, for labels without a rule of the pack.

    Args:
        task: of the domain.
        domain: brings lexicon and rules.
        names: whether names of labels give phrases, too.
    """
    return described_rules(
        task.name,
        {label.name: label.description for label in task.labels},
        domain.lexicon,
        channel=_CHANNELS[task.name],
        written=domain.rule_sets[task.name].rules,
        names=names,
    )


def estimated(
    task: Task, rules: Sequence[Rule], examples: Sequence[UnlabelledEvidence], lexicon: Lexicon
) -> Estimates:
    """What unlabelled examples tell of rules that are believed in as the pack says."""
    return estimate(
        rules,
        firings(rules, examples, lexicon=lexicon),
        label_names=task.label_names,
        assumed=task.assumed_reliability,
    )
