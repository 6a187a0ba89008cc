"""Compiled rules say what plain evaluation says, on every input."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rule_store import (
    CHANNELS,
    FACTS,
    Evidence,
    Has,
    Lexicon,
    Line,
    Literal,
    Mentions,
    Reaches,
    Rule,
    RuleSet,
    decide,
    evaluate,
    fold,
)
from rule_store.automaton import Automaton
from rule_store.compiled import CompiledRules

MANY = settings(deadline=None, max_examples=200)
# Few characters, so that phrases overlap, begin and end one another; beyond the basic plane too.
LETTERS = "ab1 .付カ한é😀𠀀"
# What a lone surrogate is, no phrase can hold; a text can.
TEXTS = st.text(alphabet=LETTERS + "\ud800\udc00", max_size=10)
PHRASES = st.text(alphabet=LETTERS, min_size=1, max_size=4).filter(fold)
CONCEPTS = ("refund", "质量", "voucher")
LEXICONS = st.fixed_dictionaries(
    {name: st.lists(PHRASES, min_size=1, max_size=5) for name in CONCEPTS}
).map(Lexicon.of)
# Two channels of texts and two of screens meet often; the others are there.
OFTEN = st.sampled_from(("last", "user", "screen", "screen.lines")) | st.sampled_from(CHANNELS)
NUMBERS = st.sampled_from((0.0, 1.0, 2.5))
PREDICATES = st.one_of(
    st.builds(Has, channel=OFTEN, phrase=PHRASES),
    st.builds(Line, channel=OFTEN, line=PHRASES),
    st.builds(
        Mentions,
        channel=OFTEN,
        concept=st.sampled_from(CONCEPTS),
        at_least=st.sampled_from((1, 1, 2, 3)),
    ),
    st.builds(Reaches, fact=st.sampled_from(FACTS), value=NUMBERS),
)
LITERALS = st.builds(Literal, predicate=PREDICATES, negated=st.integers(0, 3).map(lambda n: n == 0))
RULES = st.builds(
    Rule,
    task=st.just("intent"),
    body=st.lists(LITERALS, min_size=1, max_size=4).map(tuple),
    label=st.sampled_from(("track", "refund")),
)
RULE_SETS = st.lists(RULES, max_size=12, unique_by=lambda rule: rule.id).map(
    lambda rules: RuleSet(task="intent", rules=tuple(rules))
)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    """Some channels and facts unread, some empty."""
    read = draw(st.dictionaries(OFTEN, st.lists(TEXTS, max_size=3), max_size=len(CHANNELS)))
    facts = draw(st.dictionaries(st.sampled_from(FACTS), NUMBERS))
    return Evidence(texts=Evidence.of(read).texts, facts=facts)


@MANY
@given(rule_set=RULE_SETS, lexicon=LEXICONS, frame=st.lists(evidences(), min_size=1, max_size=4))
def test_compiled_rules_say_what_plain_evaluation_says(
    rule_set: RuleSet, lexicon: Lexicon, frame: list[Evidence]
) -> None:
    compiled = CompiledRules.of(rule_set, lexicon)
    plain = [evaluate(rule_set, evidence, lexicon) for evidence in frame]
    found = [compiled.evaluate(evidence) for evidence in frame]
    assert found == plain
    assert compiled.evaluate_all(frame) == plain
    assert [tuple(each.undecided) for each in found] == [each.undecided for each in plain]
    reliability = {rule.id: 0.9 for rule in rule_set.rules}
    for ours, theirs in zip(found, plain, strict=True):
        assert len(ours.undecided) == len(theirs.undecided)
        assert decide(ours, reliability=reliability, answer_at=0.5) == decide(
            theirs, reliability=reliability, answer_at=0.5
        )


@MANY
@given(phrases=st.lists(PHRASES.map(fold), unique=True, max_size=20), text=TEXTS)
def test_the_automaton_finds_every_phrase_that_is_part_of_the_text(
    phrases: list[str], text: str
) -> None:
    assert Automaton(phrases).found(text) == {phrase for phrase in phrases if phrase in text}
