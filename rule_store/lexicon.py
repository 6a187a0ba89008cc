"""Lexicon: named concepts, each a set of phrases that say the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from rule_store.errors import InvalidLexicon, UnknownConcept
from rule_store.evidence import fold
from rule_store.includes import with_included

PHRASE_CHARS = 200
# Folding makes one letter of up to four characters, and one space of any number. It takes
# quadratic time for a run of combining marks, so it gets no long text.
UNFOLDED_CHARS = 10 * PHRASE_CHARS
NAME_CHARS = 128


def is_text(text: str) -> bool:
    """Whether UTF-8 can carry the text: a lone surrogate is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_name(name: str) -> bool:
    """Whether a task, label or concept may be called so."""
    return 0 < len(name) <= NAME_CHARS and is_text(name)


def unfolded_fault(phrase: str) -> str | None:
    """Say why a phrase cannot even be folded; None when it can."""
    if len(phrase) <= UNFOLDED_CHARS:
        return None
    return f"has {len(phrase)} characters before it is folded; shorten it to {PHRASE_CHARS}"


def phrase_fault(folded: str) -> str | None:
    """Say why a folded phrase cannot be looked for; None when it can."""
    if not folded:
        return "is empty; give it at least one character that is not white space"
    if len(folded) > PHRASE_CHARS:
        return f"has {len(folded)} characters; shorten it to {PHRASE_CHARS}"
    return None if is_text(folded) else "holds a lone surrogate; write real characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The concepts of a domain.

    concepts: name → folded phrases, those of included concepts among them, sorted and each once
        (their order decides nothing, so two lexicons that say the same are equal).
    """

    concepts: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        concepts = {name: _folded(name, self.concepts[name]) for name in sorted(self.concepts)}
        object.__setattr__(self, "concepts", concepts)

    @classmethod
    def of(
        cls,
        concepts: Mapping[str, Iterable[str]],
        *,
        includes: Mapping[str, Iterable[str]] | None = None,
    ) -> Self:
        """Fold the phrases of each concept, and give it those of the concepts it includes.

        >>> Lexicon.of({"refund": ["Money back", "REFUND", "refund"]}).phrases("refund")
        ('money back', 'refund')

        Args:
            concepts: name → phrases.
            includes: name → names of other concepts; such a concept needs no phrases of its own.

        Raises:
            InvalidLexicon: a concept without a name or phrases, an empty or overlong phrase, an
                include that does not exist, a circle of them.
        """
        phrases = {name: tuple(phrases) for name, phrases in concepts.items()}
        return cls(concepts=with_included(phrases, includes) if includes else phrases)

    def phrases(self, concept: str) -> tuple[str, ...]:
        """Give the folded phrases of a concept.

        Raises:
            UnknownConcept: the lexicon has no such concept.
        """
        try:
            return self.concepts[concept]
        except KeyError:
            raise UnknownConcept(concept, known=self.concepts) from None


def lexicon_faults(
    concepts: Mapping[str, Iterable[str]], *, includes: Mapping[str, Iterable[str]]
) -> tuple[InvalidLexicon, ...]:
    """Gather all for which `Lexicon.of` refuses concepts; it raises the first only."""
    faults: list[InvalidLexicon] = []
    with_included(concepts, includes, tell=faults.append)
    for name in dict.fromkeys((*concepts, *includes)):
        own = tuple(concepts.get(name, ()))
        if own or not includes.get(name):
            faults += _fold_into(set(), name, own)
        elif not is_name(name):
            faults.append(_misnamed(name))
    return tuple(faults)


def _folded(name: str, phrases: tuple[str, ...]) -> tuple[str, ...]:
    folded: set[str] = set()
    for fault in _fold_into(folded, name, phrases):
        raise fault
    return tuple(sorted(folded))


def _fold_into(folded: set[str], name: str, phrases: tuple[str, ...]) -> Iterator[InvalidLexicon]:
    """Add the folded phrases of a concept; give what is wrong with it."""
    if not is_name(name):
        yield _misnamed(name)
    if not phrases:
        yield InvalidLexicon(name, "has no phrases; give it one or remove it")
    for each in phrases:
        if fault := unfolded_fault(each) or phrase_fault(phrase := fold(each)):
            yield InvalidLexicon(name, f"has a phrase that {fault}")
        else:
            folded.add(phrase)


def _misnamed(name: str) -> InvalidLexicon:
    return InvalidLexicon(name, f"needs a name of 1 to {NAME_CHARS} characters")
