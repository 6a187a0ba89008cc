"""Laws of folding, evaluation, decision and the `.rules` language."""

from collections.abc import Collection, Mapping

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rule_store import (
    CHANNELS,
    FACTS,
    Answered,
    Evidence,
    Has,
    Lexicon,
    Line,
    Literal,
    Mentions,
    Predicate,
    Reaches,
    Rule,
    RuleSet,
    RulesRefused,
    cast_votes,
    decide,
    evaluate,
    fold,
    occurs,
    print_rules,
    read_rules,
    settle,
    sum_votes,
    truth,
)
from rule_store.predicates import COUNT_MAX, FACT_MAX, is_word_character
from rule_store.predicates import evaluate as evaluate_predicate

UNTIMED = settings(deadline=None)
# Few characters, so that phrases meet texts; scripts with and without spaces, digits, signs.
TEXTS = st.text(alphabet="ab1 .$支付カ한é😀", max_size=12)
PHRASES = TEXTS.filter(fold)
CONCEPTS = ("refund", "质量", "when", 'q"\\')
LEXICONS = st.fixed_dictionaries(
    {name: st.lists(PHRASES, min_size=1, max_size=3) for name in CONCEPTS}
).map(Lexicon.of)
LABELS = ("track", "refund", "实物拍摄(含售后)")
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
ANY_PHRASES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(fold)


# Few numbers, so that facts meet what they are held against; and any that a rule may name.
VALUES = st.sampled_from((0.0, 0.5, 1.0, 2.0))
ANY_VALUES = VALUES | st.floats(-FACT_MAX, FACT_MAX) | st.integers(-9, 9)


def literals(
    phrases: st.SearchStrategy[str], values: st.SearchStrategy[float] = VALUES
) -> st.SearchStrategy[Literal]:
    channels = st.sampled_from(CHANNELS)
    predicates: st.SearchStrategy[Predicate] = st.one_of(
        st.builds(Has, channel=channels, phrase=phrases),
        st.builds(Line, channel=channels, line=phrases),
        st.builds(
            Mentions,
            channel=channels,
            concept=st.sampled_from(CONCEPTS),
            at_least=st.sampled_from((1, 1, 2, 3, COUNT_MAX)),
        ),
        st.builds(Reaches, fact=st.sampled_from(FACTS), value=values),
    )
    return st.builds(Literal, predicate=predicates, negated=st.booleans())


BODIES = st.lists(literals(PHRASES), min_size=1, max_size=4).map(tuple)
SEGMENTS = st.lists(TEXTS, max_size=3)


def read_evidence(segments: Mapping[str, list[str] | None], facts: Mapping[str, float]) -> Evidence:
    return Evidence(texts=Evidence.of(segments).texts, facts=facts)


EVIDENCES = st.builds(
    read_evidence,
    st.dictionaries(st.sampled_from(CHANNELS), st.none() | SEGMENTS),
    st.dictionaries(st.sampled_from(FACTS), VALUES),
)


def make_rule(body: tuple[Literal, ...], label: str = "track", note: str | None = None) -> Rule:
    return Rule(task="intent", body=body, label=label, note=note)


def rule_sets(rules: st.SearchStrategy[Rule], max_size: int = 6) -> st.SearchStrategy[RuleSet]:
    return st.lists(rules, max_size=max_size, unique_by=lambda rule: rule.id).map(
        lambda found: RuleSet(task="intent", rules=tuple(found))
    )


RULE_SETS = rule_sets(st.builds(make_rule, BODIES, st.sampled_from(LABELS)))
WRITTEN_RULE_SETS = rule_sets(
    st.builds(
        make_rule,
        st.lists(literals(ANY_PHRASES, ANY_VALUES), min_size=1, max_size=4).map(tuple),
        NAMES,
        st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
    )
)


@UNTIMED
@given(text=st.text(st.characters()))
@example("\u1e9e\u0345\u03b9")
@example("\u0130I\u0307")
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@UNTIMED
@given(text=st.text())
def test_folded_text_is_one_stripped_line(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())


@UNTIMED
@given(phrase=PHRASES.map(fold), text=TEXTS.map(fold))
def test_occurs_is_what_trying_every_place_finds(phrase: str, text: str) -> None:
    def free(inside: str, neighbour: str) -> bool:
        return not (neighbour and is_word_character(inside) and is_word_character(neighbour))

    places = (
        place
        for place in range(len(text))
        if text[place : place + len(phrase)] == phrase
        and free(phrase[0], text[place - 1 : place] if place else "")
        and free(phrase[-1], text[place + len(phrase) :][:1])
    )
    assert occurs(phrase, text) is any(True for _ in places)


@UNTIMED
@given(body=BODIES, extra=literals(PHRASES), evidence=EVIDENCES, lexicon=LEXICONS)
def test_a_longer_body_never_covers_more(
    body: tuple[Literal, ...], extra: Literal, evidence: Evidence, lexicon: Lexicon
) -> None:
    """The search prunes on this: coverage only shrinks down the tree."""
    if truth(make_rule((*body, extra)), evidence, lexicon):
        assert truth(make_rule(body), evidence, lexicon)


@UNTIMED
@given(body=BODIES, evidence=EVIDENCES, lexicon=LEXICONS)
def test_the_order_and_repetition_of_literals_decide_nothing(
    body: tuple[Literal, ...], evidence: Evidence, lexicon: Lexicon
) -> None:
    rule, turned = make_rule(body), make_rule((*reversed(body), body[0]))
    assert rule.id == turned.id
    assert truth(rule, evidence, lexicon) is truth(turned, evidence, lexicon)
    assert truth(rule, evidence, lexicon) is truth(rule.canonical(), evidence, lexicon)


SCREENS = tuple(channel for channel in CHANNELS if channel.startswith("screen"))
SCREEN_FACTS = tuple(fact for fact in FACTS if fact.startswith("screen"))
# Two words on two channels and two facts: most rule sets fire, conflict or hang on the screen.
FEW_CHANNELS = st.sampled_from(("last", "screen"))
FEW: st.SearchStrategy[Literal] = st.builds(
    Literal,
    predicate=st.one_of(
        st.builds(Has, channel=FEW_CHANNELS, phrase=st.sampled_from("ab")),
        st.builds(Line, channel=FEW_CHANNELS, line=st.sampled_from("ab")),
        st.builds(Reaches, fact=st.sampled_from(("turns", "screen.line_count")), value=VALUES),
    ),
    negated=st.booleans(),
)
FEW_RULE_SETS = rule_sets(
    st.builds(
        make_rule, st.lists(FEW, min_size=1, max_size=2).map(tuple), st.sampled_from(LABELS[:2])
    ),
    max_size=3,
)
FEW_TEXTS = st.lists(st.sampled_from("ab"), max_size=2)


@UNTIMED
@given(
    rule_set=FEW_RULE_SETS | RULE_SETS,
    evidence=st.builds(
        read_evidence,
        st.fixed_dictionaries({"last": FEW_TEXTS, "user": FEW_TEXTS}),
        st.fixed_dictionaries({"turns": VALUES, "images": VALUES}),
    ),
    screen=st.builds(
        read_evidence,
        st.fixed_dictionaries(dict.fromkeys(SCREENS, FEW_TEXTS)),
        st.fixed_dictionaries(dict.fromkeys(SCREEN_FACTS, VALUES)),
    ),
    lexicon=LEXICONS,
    reliabilities=st.lists(st.floats(0, 1), min_size=6, max_size=6),
    answer_at=st.floats(0, 0.6),
)
def test_an_answer_with_the_screen_unread_is_the_answer_with_any_screen(
    rule_set: RuleSet,
    evidence: Evidence,
    screen: Evidence,
    lexicon: Lexicon,
    reliabilities: list[float],
    answer_at: float,
) -> None:
    reliability = {rule.id: r for rule, r in zip(rule_set.rules, reliabilities, strict=False)}
    read = Evidence(
        texts={**evidence.texts, **screen.texts}, facts={**evidence.facts, **screen.facts}
    )
    before = evaluate(rule_set, evidence, lexicon)
    verdict = decide(before, reliability=reliability, answer_at=answer_at)
    after = decide(evaluate(rule_set, read, lexicon), reliability=reliability, answer_at=answer_at)
    if isinstance(verdict, Answered):
        assert after == verdict
    if not before.undecided:
        assert after == verdict == settle(before, reliability=reliability, answer_at=answer_at)


@UNTIMED
@given(body=BODIES, evidence=EVIDENCES, lexicon=LEXICONS, value=VALUES)
def test_reading_more_never_turns_a_decided_rule_round(
    body: tuple[Literal, ...], evidence: Evidence, lexicon: Lexicon, value: float
) -> None:
    before = truth(make_rule(body), evidence, lexicon)
    assume(before is not None)
    everything = Evidence(
        texts={channel: evidence.texts.get(channel, "") for channel in CHANNELS},
        facts={fact: evidence.facts.get(fact, value) for fact in FACTS},
    )
    assert truth(make_rule(body), everything, lexicon) is before


@UNTIMED
@given(body=BODIES, evidence=EVIDENCES, lexicon=LEXICONS)
def test_with_everything_read_a_rule_is_decided(
    body: tuple[Literal, ...], evidence: Evidence, lexicon: Lexicon
) -> None:
    texts = {channel: evidence.texts.get(channel, "") for channel in CHANNELS}
    facts = {fact: evidence.facts.get(fact, 0.0) for fact in FACTS}
    assert truth(make_rule(body), Evidence(texts=texts, facts=facts), lexicon) is not None


@UNTIMED
@given(line=PHRASES, segments=SEGMENTS, lexicon=LEXICONS)
def test_a_line_is_any_segment_that_folds_to_it_and_holds_it_as_a_phrase(
    line: str, segments: list[str], lexicon: Lexicon
) -> None:
    evidence = Evidence.of({"screen": segments})
    is_line = evaluate_predicate(Line(channel="screen", line=line), evidence, lexicon)
    assert is_line is (fold(line) in map(fold, segments))
    if is_line:
        assert evaluate_predicate(Has(channel="screen", phrase=line), evidence, lexicon)


@UNTIMED
@given(segments=SEGMENTS, concept=st.sampled_from(CONCEPTS), lexicon=LEXICONS)
def test_at_least_so_many_phrases_is_that_many_has(
    segments: list[str], concept: str, lexicon: Lexicon
) -> None:
    evidence = Evidence.of({"last": segments})
    found = sum(
        bool(evaluate_predicate(Has(channel="last", phrase=phrase), evidence, lexicon))
        for phrase in lexicon.phrases(concept)
    )
    for count in (1, 2, 3, 4):
        mentions = Mentions(channel="last", concept=concept, at_least=count)
        assert evaluate_predicate(mentions, evidence, lexicon) is (found >= count)


@UNTIMED
@given(fact=st.sampled_from(FACTS), of=ANY_VALUES, value=ANY_VALUES, lower=ANY_VALUES)
def test_who_reaches_a_number_reaches_every_lower_one(
    fact: str, of: float, value: float, lower: float
) -> None:
    measured = Evidence(texts={}, facts={fact: of})
    higher, less = (
        evaluate_predicate(Reaches(fact=fact, value=each), measured, Lexicon.of({}))
        for each in (max(value, lower), min(value, lower))
    )
    assert higher is (of >= max(value, lower))
    assert less or not higher


@UNTIMED
@given(rule_set=RULE_SETS, reliability=st.floats(0, 1))
def test_votes_are_never_negative_and_name_every_label(
    rule_set: RuleSet, reliability: float
) -> None:
    by_id = {rule.id: reliability for rule in rule_set.rules}
    found = sum_votes(cast_votes(rule_set.rules, by_id), labels=LABELS)
    assert tuple(found) == LABELS
    assert all(vote >= 0 for vote in found.values())


@UNTIMED
@given(rule_set=WRITTEN_RULE_SETS)
def test_reading_what_was_printed_gives_the_same_rules(rule_set: RuleSet) -> None:
    printed = print_rules(rule_set)
    assert read_rules(printed, task="intent") == rule_set
    assert print_rules(read_rules(printed, task="intent")) == printed


def read_or_refuse(
    text: str, *, labels: Collection[str] | None = None, lexicon: Lexicon | None = None
) -> RuleSet | RulesRefused:
    """Read, or give the refusal; any other error fails the test."""
    try:
        return read_rules(text, task="intent", labels=labels, lexicon=lexicon, origin="o")
    except RulesRefused as refusal:
        return refusal


WORDS = st.sampled_from(
    [
        *("when", "and", "not", "has", "mentions", "then", "note", "last", "screen.top", "refund"),
        *("line", "at least", "of", "below", "turns", "images", "2", "0.5", "1e999", "9" * 30),
        *('"a"', '"支付"', '"', "\\", "#", "\n", " ", ".", "-", "“", '"\\ud800"', '""', "\ufeff"),
    ]
)


@UNTIMED
@given(text=st.one_of(st.text(st.characters()), st.lists(WORDS, max_size=25).map(" ".join)))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    outcome = read_or_refuse(text, labels=LABELS, lexicon=Lexicon.of({"refund": ["x"]}))
    if isinstance(outcome, RuleSet):
        assert read_rules(print_rules(outcome), task="intent") == outcome
    else:
        assert outcome.place is not None
        # One line for each fault.
        assert str(outcome).startswith("o:")
        assert all(line.isprintable() for line in str(outcome).split("\n"))
        assert 1 <= outcome.place.line <= text.count("\n") + 1


@UNTIMED
@given(
    rule_set=WRITTEN_RULE_SETS,
    place=st.integers(0, 10_000),
    length=st.integers(0, 3),
    put=st.text(st.characters(), max_size=3),
)
def test_a_spoilt_text_is_read_or_refused_with_its_place(
    rule_set: RuleSet, place: int, length: int, put: str
) -> None:
    text = print_rules(rule_set)
    start = place % (len(text) + 1)
    outcome = read_or_refuse(text[:start] + put + text[start + length :])
    assert isinstance(outcome, RuleSet) or outcome.place is not None
