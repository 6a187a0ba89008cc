"""The rules of the rule benchmark: drawn from the dialogues, so that they meet and fire."""

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rule_store import Has, Lexicon, Literal, Mentions, Rule, RuleSet
from rule_store.automaton import Automaton

CHANNEL = "last"
# What a dialogue meets on average, with few rules as with many, as far as its texts allow.
HITS = 25
FIRED = 2.5
PHRASES_A_RULE = 5
_RULES_A_CONCEPT = 20
_LABELS = 20
_MARKS = re.compile(r"""[,.?!:;，。？！：；\n'"\\]+""")
_HAN_FROM = "\u2e80"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Rules with what they look for. phrases: all of them, each once."""

    rule_set: RuleSet
    lexicon: Lexicon
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What there is to draw from: segment or phrase → in how many texts, about."""

    texts: int
    segments: Mapping[str, int]
    phrases: Mapping[str, int]


def draw_rules(
    texts: Sequence[str], *, rules: int, seed: int, hits: float = HITS, fired: float = FIRED
) -> Drawn:
    """Draw rules of 2 to 4 literals, five times as many phrases as rules.

    A rule is drawn from one sentence. The fewer the rules, the commoner sentences and phrases
    are taken, so that a dialogue meets as many.

    Args:
        texts: folded.
        rules: how many.
        seed: the same seed, the same rules.
        hits: phrases that occur in a dialogue, on average, as far as there are such phrases.
        fired: rules that fire on it, likewise.
    """
    draw = random.Random(seed)  # noqa: S311 - rules for a benchmark, the same for every run
    found = _look_through(texts)
    wanted = rules * PHRASES_A_RULE
    share = hits * len(texts) / wanted
    concepts: list[set[str]] = [set() for _ in range(max(1, rules // _RULES_A_CONCEPT))]
    taken: set[str] = set()
    bodies: list[tuple[tuple[Literal, ...], str]] = []
    for number, segment in enumerate(_sentences(found, rules, fired, draw)):
        # Among equals by the alphabet: the order of a set is another in every process.
        near = sorted(_phrases(segment), key=lambda each: (_far(found.phrases[each], share), each))
        fresh = [each for each in near if each not in taken] or near
        chosen = fresh[: draw.randint(2, 4)]
        taken.update(chosen)
        concept = number % len(concepts) if number % 2 and len(chosen) > 1 else None
        if concept is not None:
            concepts[concept].add(chosen[-1])
        bodies.append((_body(chosen, concept), f"label {draw.randrange(_LABELS)}"))
    for number, phrase in enumerate(_fill(found, texts, taken, wanted, hits)):
        concepts[number % len(concepts)].add(phrase)
        taken.add(phrase)
    made = {rule.id: rule for rule in (_rule(*each) for each in bodies)}
    lexicon = {_name(place): sorted(each) for place, each in enumerate(concepts) if each}
    return Drawn(
        rule_set=RuleSet(task="intent", rules=tuple(made.values())),
        lexicon=Lexicon.of(lexicon),
        phrases=tuple(sorted(taken)),
    )


def _rule(body: tuple[Literal, ...], label: str) -> Rule:
    return Rule(task="intent", body=body, label=label)


def _name(concept: int) -> str:
    return f"concept {concept}"


def _body(phrases: Sequence[str], concept: int | None) -> tuple[Literal, ...]:
    """All phrases; or the last one as one of a concept's, where there is a concept."""
    has = phrases if concept is None else phrases[:-1]
    body = [Literal(predicate=Has(channel=CHANNEL, phrase=phrase)) for phrase in has]
    if concept is not None:
        body.append(Literal(predicate=Mentions(channel=CHANNEL, concept=_name(concept))))
    return tuple(body)


def _look_through(texts: Sequence[str]) -> _Found:
    segments = Counter(segment for text in texts for segment in dict.fromkeys(_segments(text)))
    phrases: Counter[str] = Counter()
    for segment, count in segments.items():
        for phrase in _phrases(segment):
            phrases[phrase] += count
    return _Found(texts=len(texts), segments=segments, phrases=phrases)


def _segments(text: str) -> Iterator[str]:
    for part in _MARKS.split(text):
        # Numbers are all zeros, and any sentence can end in one.
        segment = part.strip(" 0")
        if len(_phrases(segment)) > 1:
            yield segment


def _phrases(segment: str) -> set[str]:
    """Two to four characters of a script without spaces, one to three words of others."""
    if segment.isascii() or max(segment) < _HAN_FROM:
        words = segment.split(" ")
        return {
            " ".join(words[start : start + size])
            for size in (1, 2, 3)
            for start in range(len(words) - size + 1)
            if len(words[start]) > 1
        }
    grams = (
        segment[start : start + size]
        for size in (2, 3, 4)
        for start in range(len(segment) - size + 1)
    )
    return {gram for gram in grams if gram == gram.strip()}


def _far(count: int, share: float) -> float:
    return abs(math.log(max(count, 1) / share))


def _sentences(found: _Found, rules: int, fired: float, draw: random.Random) -> Iterable[str]:
    """Sentences of the frequency at which as many rules fire; half of each script, if both are."""
    share = fired * found.texts / rules
    scripts: tuple[list[str], list[str]] = ([], [])
    for segment in sorted(found.segments, key=lambda each: _far(found.segments[each], share)):
        scripts[max(segment) >= _HAN_FROM].append(segment)
    halves = [each for each in scripts if each]
    chosen = []
    for place, script in enumerate(halves):
        count = rules // len(halves) + (place < rules % len(halves))
        chosen += [script[number % len(script)] for number in range(count)]
    draw.shuffle(chosen)
    return chosen


def _fill(
    found: _Found, texts: Sequence[str], taken: set[str], wanted: int, hits: float
) -> list[str]:
    """Further phrases, of the frequency at which the texts meet as many as they should."""
    missing = wanted - len(taken)
    left = [phrase for phrase in found.phrases if phrase not in taken]
    automaton = Automaton(sorted(taken))
    met = sum(len(automaton.found(text)) for text in texts)
    share = max(1.0, (hits * len(texts) - met) / max(1, missing))
    return sorted(left, key=lambda each: (_far(found.phrases[each], share), each))[:missing]
