"""Lint of the lexicon: phrases that say nothing more, and concepts that nobody asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rule_store.errors import shown
from rule_store.evidence import fold
from rule_store.findings import Finding
from rule_store.lexicon import Lexicon
from rule_store.predicates import Mentions, occurs
from rule_store.rules import RuleSet

_SHOWN = 5


def lint_lexicon(
    lexicon: Lexicon,
    rule_sets: Iterable[RuleSet],
    *,
    written: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Finding, ...]:
    """Look through the concepts of a domain.

    Args:
        lexicon: as rules see it.
        rule_sets: of every task of the domain.
        written: concept → its own phrases as the author wrote them, unfolded and without those
            that it includes.

    Returns:
        What was found, concept after concept.
    """
    asked = [
        literal.predicate
        for rule_set in rule_sets
        for rule in rule_set.rules
        for literal in rule.body
        if isinstance(literal.predicate, Mentions)
    ]
    counting = {each.concept for each in asked if each.at_least > 1}
    counted = {phrase for name in counting for phrase in lexicon.concepts.get(name, ())}
    own: dict[str, Sequence[str]] = {**lexicon.concepts, **(written or {})}
    found: list[Finding] = []
    for name in lexicon.concepts:
        found += _repeated(name, own[name])
        found += _redundant(name, own[name], lexicon.concepts[name], counted)
    return (*found, *_unused(lexicon, {each.concept for each in asked}))


def _repeated(concept: str, phrases: Sequence[str]) -> Iterator[Finding]:
    spellings: dict[str, list[str]] = {}
    for phrase in phrases:
        spellings.setdefault(fold(phrase), []).append(phrase)
    for folded, same in spellings.items():
        if len(same) > 1:
            yield Finding(
                kind="repeated_phrase",
                message=f"concept {shown(concept)}: {_listed(same)} all fold to {shown(folded)}; "
                "keep one",
            )


def _redundant(
    concept: str, own: Sequence[str], all_phrases: Sequence[str], counted: Collection[str]
) -> Iterator[Finding]:
    """Own phrases within which another one of the concept, included or not, always occurs.

    What is also a phrase of a concept that is counted with `at least`, this one or one that
    includes it, is kept: there each phrase counts.
    """
    known = frozenset(all_phrases)
    removable = (phrase for phrase in dict.fromkeys(map(fold, own)) if phrase not in counted)
    pairs = ((longer, _shorter(longer, known)) for longer in removable)
    found = [f"{shown(longer)} by {shown(part)}" for longer, part in pairs if part is not None]
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield Finding(
            kind="redundant_phrase",
            message=f"concept {shown(concept)}: already found are {', '.join(found[:_SHOWN])}"
            f"{more}; remove the longer ones",
        )


def _shorter(phrase: str, phrases: frozenset[str]) -> str | None:
    """Another phrase that occurs in this one; at most 200 x 200 / 2 parts are looked up."""
    parts = (
        phrase[start:end]
        for start in range(len(phrase))
        for end in range(start + 1, len(phrase) + 1)
    )
    found = (part for part in parts if part != phrase and part in phrases and occurs(part, phrase))
    return next(found, None)


def _unused(lexicon: Lexicon, named: set[str]) -> Iterator[Finding]:
    """Concepts that no rule mentions, neither by name nor as a part of one that it does."""
    used = {phrase for name in named for phrase in lexicon.concepts.get(name, ())}
    for concept, phrases in lexicon.concepts.items():
        if concept not in named and not used.issuperset(phrases):
            yield Finding(
                kind="unused_concept",
                message=f"no rule mentions concept {shown(concept)}; use it, or remove it unless "
                "the model is to count it",
            )


def _listed(phrases: Sequence[str]) -> str:
    more = f" and {len(phrases) - _SHOWN} more" if len(phrases) > _SHOWN else ""
    return ", ".join(map(shown, phrases[:_SHOWN])) + more
