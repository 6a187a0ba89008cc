"""Trial: the examples of a `.rules` text, put to its rules."""

from __future__ import annotations

from dataclasses import dataclass

from rule_store.decision import settle
from rule_store.evidence import Evidence
from rule_store.explain import Explanation, explain
from rule_store.lexicon import Lexicon
from rule_store.rules import Answered, Verdict, evaluate
from rule_store.rules_text import RuleExample, RulesText


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the rules made of one example."""

    example: RuleExample
    evidence: Evidence
    verdict: Verdict
    explanation: Explanation

    @property
    def passed(self) -> bool:
        answer = self.verdict.label if isinstance(self.verdict, Answered) else None
        return answer == self.example.label


def try_examples(rules: RulesText, lexicon: Lexicon, *, reliability: float) -> tuple[Trial, ...]:
    """Decide every example; rules that agree answer, an unread channel stays unread.

    Args:
        rules: with their examples.
        lexicon: the domain's.
        reliability: what each rule counts for, in (0, 1).

    Raises:
        UnknownConcept: the lexicon lacks a concept that a rule names.
    """
    known = {rule.id: reliability for rule in rules.rule_set.rules}
    trials = []
    for example in rules.examples:
        evidence = example.evidence()
        evaluation = evaluate(rules.rule_set, evidence, lexicon)
        trials.append(
            Trial(
                example=example,
                evidence=evidence,
                verdict=settle(evaluation, reliability=known, answer_at=reliability),
                explanation=explain(rules.rule_set, evidence, lexicon),
            )
        )
    return tuple(trials)
