"""What compiled rules are measured against; each peer in the form that suits it best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from typing import Any

from rule_store import Evidence, Has, Literal, Mentions, evaluate, fold
from rule_store.automaton import Automaton
from rule_store.predicates import found_phrases
from streams.bench.rules_drawn import CHANNEL, Drawn
from streams.bench.rules_hyperscan import deciding, reporting
from streams.errors import MissingExtra

_PACKAGES = {
    "zen": "zen-engine",
    "rule_engine": "rule-engine",
    "hyperscan": "hyperscan",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A dialogue as peers get it: all that they need not find themselves is found already.

    written: as it was written. text: folded. phrases: those that occur. concepts: whether each
        occurs, in order of name.
    """

    written: str
    text: str
    phrases: tuple[str, ...]
    concepts: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A way to do the task, or a part of it.

    name: in the JSON. says: what it is. general: a rule engine that any user might pick.
    least: what ours ÷ it must reach. prepare: drawn rules → what takes one dialogue.
    """

    name: str
    says: str
    prepare: Callable[[Drawn], Callable[[Given], object]]
    general: bool = False
    least: float | None = None


def check_peers() -> None:
    """Refuse to begin without the peers.

    Raises:
        MissingExtra: one of them is not installed.
    """
    for module, package in _PACKAGES.items():
        if util.find_spec(module) is None:
            raise MissingExtra(package, "bench")


def versions() -> str:
    names = ("ahocorasick-rs", *_PACKAGES.values())
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def given(drawn: Drawn, texts: Sequence[str]) -> list[Given]:
    """What peers are given of texts as they were written."""
    automaton = Automaton(drawn.phrases)
    concepts = {name: drawn.lexicon.phrases(name) for name in _concepts(drawn)}
    found = []
    for written in texts:
        text = fold(written)
        near = automaton.found(text)
        phrases = tuple(found_phrases(tuple(sorted(near)), text))
        there = frozenset(phrases)
        mentioned = tuple(not there.isdisjoint(each) for each in concepts.values())
        found.append(Given(written=written, text=text, phrases=phrases, concepts=mentioned))
    return found


def _concepts(drawn: Drawn) -> list[str]:
    return sorted(drawn.lexicon.concepts)


def _plain(drawn: Drawn) -> Callable[[Given], object]:
    return lambda each: evaluate(
        drawn.rule_set, Evidence(texts={CHANNEL: each.text}), drawn.lexicon
    )


def _zen(drawn: Drawn) -> Callable[[Given], object]:
    """One expression that is an array of all rules, a tenth of the time of a decision table."""
    import zen

    place = {name: number for number, name in enumerate(_concepts(drawn))}

    def written(literal: Literal) -> str:
        match literal.predicate:
            case Has(phrase=phrase):
                return f"contains(text, '{phrase}')"
            case Mentions(concept=concept):
                return f"concepts[{place[concept]}]"
        raise TypeError(literal)

    rules = (" and ".join(map(written, rule.body)) for rule in drawn.rule_set.rules)
    expression = zen.compile_expression(f"[{', '.join(rules)}]")
    return lambda each: expression.evaluate({"text": each.text, "concepts": list(each.concepts)})


def _rule_engine(drawn: Drawn) -> Callable[[Given], object]:
    import rule_engine

    place = {name: number for number, name in enumerate(_concepts(drawn))}

    def written(literal: Literal) -> str:
        match literal.predicate:
            case Has(phrase=phrase):
                return f"'{phrase}' in text"
            case Mentions(concept=concept):
                return f"concept{place[concept]}"
        raise TypeError(literal)

    rules = [
        rule_engine.Rule(" and ".join(map(written, rule.body))) for rule in drawn.rule_set.rules
    ]

    def run(each: Given) -> list[bool]:
        known: dict[str, Any] = {f"concept{n}": held for n, held in enumerate(each.concepts)}
        known["text"] = each.text
        return [rule.matches(known) for rule in rules]

    return run


def _hyperscan(drawn: Drawn) -> Callable[[Given], object]:
    match = reporting(drawn)
    return lambda each: match(each.text)


def _hyperscan_decides(drawn: Drawn) -> Callable[[Given], object]:
    decided = deciding(drawn)
    return lambda each: decided(each.written)


def _scan_alone(drawn: Drawn) -> Callable[[Given], object]:
    automaton = Automaton(drawn.phrases)
    return lambda each: automaton.found(each.text)


LEFT_OUT = (
    "durable_rules 2.0.28 is left out: it did not come back from loading 250 of these rules, and "
    "with 100 it raised MemoryError while dialogues were posted"
)

PEERS: tuple[Peer, ...] = (
    Peer(name="zen_engine", says="zen-engine", prepare=_zen, general=True, least=10),
    Peer(name="rule_engine", says="rule-engine", prepare=_rule_engine, general=True, least=10),
    Peer(name="plain", says="plain evaluation", prepare=_plain),
    Peer(
        name="hyperscan_decides",
        says="hyperscan in our automaton's place",
        prepare=_hyperscan_decides,
        least=1,
    ),
    Peer(name="hyperscan", says="hyperscan, all matches only", prepare=_hyperscan, least=1),
    Peer(name="scan_alone", says="our automaton's scan alone", prepare=_scan_alone, least=1 / 3),
)
