"""Laws of folding, evaluation, decision and the `.rules` language."""

from collections.abc import Collection

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rule_store import (
    CHANNELS,
    Answered,
    Evidence,
    Has,
    Lexicon,
    Literal,
    Mentions,
    Rule,
    RuleSet,
    RulesRefused,
    decide,
    evaluate,
    fold,
    occurs,
    print_rules,
    read_rules,
    settle,
    truth,
    votes,
)
from rule_store.predicates import is_word_character

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


def literals(phrases: st.SearchStrategy[str]) -> st.SearchStrategy[Literal]:
    channels = st.sampled_from(CHANNELS)
    predicates = st.one_of(
        st.builds(Has, channel=channels, phrase=phrases),
        st.builds(Mentions, channel=channels, concept=st.sampled_from(CONCEPTS)),
    )
    return st.builds(Literal, predicate=predicates, negated=st.booleans())


BODIES = st.lists(literals(PHRASES), min_size=1, max_size=4).map(tuple)
EVIDENCES = st.dictionaries(
    st.sampled_from(CHANNELS), st.one_of(st.none(), st.lists(TEXTS, max_size=3))
).map(Evidence.of)


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
        st.lists(literals(ANY_PHRASES), min_size=1, max_size=4).map(tuple),
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
# Two words on two channels: most rule sets fire, conflict or hang on the screen.
FEW = st.builds(
    Literal,
    predicate=st.builds(
        Has, channel=st.sampled_from(("last", "screen")), phrase=st.sampled_from("ab")
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
    evidence=st.fixed_dictionaries({"last": FEW_TEXTS, "user": FEW_TEXTS}).map(Evidence.of),
    screen=st.fixed_dictionaries(dict.fromkeys(SCREENS, FEW_TEXTS)).map(Evidence.of),
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
    read = Evidence(texts={**evidence.texts, **screen.texts})
    before = evaluate(rule_set, evidence, lexicon)
    verdict = decide(before, reliability=reliability, answer_at=answer_at)
    after = decide(evaluate(rule_set, read, lexicon), reliability=reliability, answer_at=answer_at)
    if isinstance(verdict, Answered):
        assert after == verdict
    if not before.undecided:
        assert after == verdict == settle(before, reliability=reliability, answer_at=answer_at)


@UNTIMED
@given(body=BODIES, evidence=EVIDENCES, lexicon=LEXICONS)
def test_reading_more_never_turns_a_decided_rule_round(
    body: tuple[Literal, ...], evidence: Evidence, lexicon: Lexicon
) -> None:
    before = truth(make_rule(body), evidence, lexicon)
    assume(before is not None)
    everything = {channel: evidence.texts.get(channel, "") for channel in CHANNELS}
    assert truth(make_rule(body), Evidence(texts=everything), lexicon) is before


@UNTIMED
@given(rule_set=RULE_SETS, reliability=st.floats(0, 1))
def test_votes_are_never_negative_and_name_every_label(
    rule_set: RuleSet, reliability: float
) -> None:
    by_id = {rule.id: reliability for rule in rule_set.rules}
    found = votes(rule_set.rules, by_id, labels=LABELS)
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
        assert str(outcome).startswith("o:")
        assert str(outcome).isprintable()
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
