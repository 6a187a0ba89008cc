"""hyperscan as a peer: as a bare matcher, and in our automaton's place."""

from collections.abc import Callable, Collection
from dataclasses import replace

from rule_store import CompiledRules, Mentions
from rule_store.automaton import Automaton
from streams.bench.rules_drawn import Drawn
from streams.bench.rules_timing import whole


def reporting(drawn: Drawn) -> Callable[[str], object]:
    """Folded text → all matches of all phrases; nothing is decided."""
    return _matching(drawn.phrases, flags=0)


def deciding(drawn: Drawn) -> Callable[[str], object]:
    """Text as written → verdict: ours in everything but what searches the text."""
    compiled = CompiledRules.of(drawn.rule_set, drawn.lexicon)
    named = {
        literal.predicate.concept
        for rule in drawn.rule_set.rules
        for literal in rule.body
        if isinstance(literal.predicate, Mentions)
    }
    said = frozenset[str]().union(*map(drawn.lexicon.phrases, named))
    leads = {
        channel: replace(each, automaton=_Hyperscan(each.anchors | said))
        for channel, each in compiled.index.leads.items()
    }
    return whole(drawn, replace(compiled, index=replace(compiled.index, leads=leads)))


class _Hyperscan(Automaton):
    """Finds what the automaton finds, for texts that can be encoded."""

    __slots__ = ("_match", "_phrases")

    def __init__(self, phrases: Collection[str]) -> None:
        import hyperscan

        self._phrases = sorted(phrases)
        # One report a phrase is all that is asked for, and what it does quickest.
        self._match = _matching(self._phrases, flags=hyperscan.HS_FLAG_SINGLEMATCH)

    def found(self, text: str) -> set[str]:
        phrases = self._phrases
        return {phrases[place] for place in self._match(text)}


def _matching(phrases: Collection[str], *, flags: int) -> Callable[[str], list[int]]:
    """Text → the place of a phrase for every match of it."""
    import hyperscan

    written = [phrase.encode() for phrase in phrases]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=written, ids=list(range(len(written))), flags=flags, literal=True)
    scratch = hyperscan.Scratch(database)
    found: list[int] = []

    def report(place: int, start: int, end: int, flags: int, context: object) -> None:
        found.append(place)

    def match(text: str) -> list[int]:
        found.clear()
        database.scan(text.encode(), match_event_handler=report, scratch=scratch)
        return found

    return match
