"""Described: rules that the names and descriptions of labels give, without any labelled example."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from rule_store.automaton import Automaton
from rule_store.entries import Ends, ends, stands
from rule_store.evidence import Channel, fold
from rule_store.lexicon import Lexicon
from rule_store.mining.consistent import CoveringRule, consistent
from rule_store.mining.phrases import Phrases
from rule_store.predicates import Has, Mentions
from rule_store.rules import Literal, Rule

# A concept that more labels speak of tells them no longer apart.
_SHARED_BY = 3
# One phrase of a description may stand there by chance; one of the name does not.
_PHRASES = 2
_PIECES = Phrases(least_chars=2, most_chars=2, singles=False)
# Nobody looked where the rules fire, so any two of them are compared.
_UNKNOWN = np.zeros(1, dtype=np.uint64)

Spoken = dict[str, dict[str, int]]
"""Label → concept → how many of its phrases the label's words hold."""


def described_rules(
    task: str,
    labels: Mapping[str, str],
    lexicon: Lexicon,
    *,
    channel: Channel,
    written: Sequence[Rule] = (),
    names: bool = True,
) -> tuple[Rule, ...]:
    """Give each label that no written rule implies the rules that its own words suggest.

    A concept that the words of one label alone speak of implies this label. A label without such
    a concept gets those that at most two others share, unless what tells the others apart is
    mentioned too. Where the lexicon says nothing of a label, the phrases of its name that no other
    label's words hold imply it. What could never answer beside an earlier rule is left out.

    No labelled example is read: what these rules are worth is assumed, not fitted.

    Args:
        task: of the rules.
        labels: every label of the task → its description, perhaps empty.
        lexicon: the domain's; an included concept speaks for the one that includes it.
        channel: where the rules look.
        written: the pack's rules of the task.
        names: whether names give phrases, too; among labelled examples mining finds better ones.

    Source: the weight of a word by how few texts hold it, Spärck Jones 1972, "A statistical
    interpretation of term specificity", cut to a bound.
    """
    spoken = _spoken(labels, lexicon)
    speaking = _speaking(spoken)
    own = {
        label: _widest((c for c in concepts if len(speaking[c]) == 1), lexicon)
        for label, concepts in spoken.items()
    }
    known = {rule.label for rule in written}
    found = []
    for label in labels:
        if label in known:
            continue
        bodies = [[Literal(predicate=_mention(channel, concept))] for concept in own[label]]
        bodies = bodies or list(_shared(label, spoken, speaking, own, channel))
        if names and not bodies:
            bodies = [
                [Literal(predicate=Has(channel=channel, phrase=phrase))]
                for phrase in _named_alone(label, labels)
            ]
        found += [Rule(task=task, body=tuple(body), label=label) for body in bodies]
    return _answering(found, written, lexicon) if found else ()


def _answering(
    found: Sequence[Rule], written: Sequence[Rule], lexicon: Lexicon
) -> tuple[Rule, ...]:
    return consistent(
        [CoveringRule(rule=rule, covered=_UNKNOWN) for rule in found],
        written=[CoveringRule(rule=rule, covered=_UNKNOWN) for rule in written],
        lexicon=lexicon,
    )


def _spoken(labels: Mapping[str, str], lexicon: Lexicon) -> Spoken:
    """What each label's words speak of: two phrases of a concept, or one in the label's name."""
    concepts: defaultdict[str, set[str]] = defaultdict(set)
    for concept, phrases in lexicon.concepts.items():
        for phrase in (*phrases, fold(concept)):
            concepts[phrase].add(concept)
    automaton = Automaton(sorted(concepts))
    spoken: Spoken = {}
    for label, description in labels.items():
        named = _held(automaton, _words(label))
        counts: defaultdict[str, int] = defaultdict(int)
        for phrase in named | _held(automaton, fold(description)):
            for concept in concepts[phrase]:
                counts[concept] += _PHRASES if phrase in named else 1
        spoken[label] = {
            concept: count for concept, count in sorted(counts.items()) if count >= _PHRASES
        }
    return spoken


def _held(automaton: Automaton, text: str) -> set[str]:
    found = automaton.found(text)
    return {each for each in found if ends(each) is not Ends.WORDS or stands(each, text)}


def _words(label: str) -> str:
    """A label's name as text: `track_order` says two words."""
    return fold(label.replace("_", " "))


def _speaking(spoken: Spoken) -> dict[str, list[str]]:
    """Concept → the labels whose words speak of it."""
    speaking: defaultdict[str, list[str]] = defaultdict(list)
    for label, concepts in spoken.items():
        for concept in concepts:
            speaking[concept].append(label)
    return dict(speaking)


def _widest(concepts: Iterable[str], lexicon: Lexicon) -> list[str]:
    """Leave out a concept all of whose phrases another has as well; of equals the first stays."""
    kept: list[str] = []
    by_size = sorted(concepts, key=lambda concept: -len(lexicon.phrases(concept)))
    for concept in by_size:
        phrases = set(lexicon.phrases(concept))
        if not any(phrases <= set(lexicon.phrases(wider)) for wider in kept):
            kept.append(concept)
    return sorted(kept)


def _shared(
    label: str,
    spoken: Spoken,
    speaking: Mapping[str, Sequence[str]],
    own: Mapping[str, Sequence[str]],
    channel: Channel,
) -> Iterator[list[Literal]]:
    """A concept of a few labels is left to the one that has nothing else, the others' aside."""
    for concept in spoken[label]:
        others = [each for each in speaking[concept] if each != label]
        if len(others) >= _SHARED_BY or not all(own[each] for each in others):
            continue
        apart = sorted({each for other in others for each in own[other]})
        yield [
            Literal(predicate=_mention(channel, concept)),
            *(Literal(predicate=_mention(channel, each), negated=True) for each in apart),
        ]


def _named_alone(label: str, labels: Mapping[str, str]) -> list[str]:
    """The phrases of a label's name that the words of no other label hold."""
    others = [
        f"{_words(other)}\n{fold(description)}"
        for other, description in labels.items()
        if other != label
    ]
    pieces = {piece for piece in _PIECES.of(_words(label)) if " " not in piece}
    return sorted(piece for piece in pieces if not any(piece in other for other in others))


def _mention(channel: Channel, concept: str) -> Mentions:
    return Mentions(channel=channel, concept=concept)
