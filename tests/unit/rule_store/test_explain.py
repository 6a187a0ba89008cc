"""Explain: which rules fired, which lacked one thing, and where everything stands."""

from hypothesis import given
from hypothesis import strategies as st

from rule_store import (
    Answered,
    Evidence,
    Explanation,
    Lexicon,
    Literal,
    Place,
    Rule,
    RuleExample,
    RuleSet,
    RulesText,
    Span,
    Trial,
    evaluate,
    explain,
    occurs,
    try_examples,
)
from rule_store.explain import occurrences
from tests.rules import Part, has, line, mentions, no, reaches, rule

LEXICON = Lexicon.of({"refund": ["refund", "money back"], "where": ["where is"]})


def explained(evidence: Evidence, *rules: Rule) -> Explanation:
    return explain(RuleSet(task="intent", rules=rules), evidence, LEXICON)


def said(text: str) -> Evidence:
    return Evidence.of({"last": [text]})


def spans(found: Explanation) -> list[list[tuple[int, int]]]:
    """Of the literals of the first fired rule."""
    return [[(each.start, each.end) for each in one.spans] for one in found.fired[0].literals]


def test_every_occurrence_of_a_phrase_is_a_span_of_the_folded_text() -> None:
    found = explained(said("  Refund? REFUND, refunds: refund"), rule(has("refund")))
    assert spans(found) == [[(0, 6), (8, 14), (25, 31)]]


def test_a_concept_is_found_at_every_phrase() -> None:
    found = explained(said("money back: a refund"), rule(mentions("refund")))
    assert spans(found) == [[(0, 10), (14, 20)]]


def test_a_line_is_found_where_a_whole_segment_is_it() -> None:
    evidence = Evidence.of({"screen": ["Paid", "Paid today", "paid"]})
    assert spans(explained(evidence, rule(line("paid", "screen")))) == [[(0, 4), (16, 20)]]


def test_a_fact_has_a_value_and_no_span() -> None:
    evidence = Evidence(texts={}, facts={"images": 2})
    (found,) = explained(evidence, rule(reaches("images", 1))).fired
    assert (found.literals[0].value, found.literals[0].spans) == (2, ())


def test_a_rule_nearly_fires_when_one_literal_is_false() -> None:
    near = rule(mentions("where"), has("parcel"))
    far = rule(mentions("where"), has("parcel"), has("box"))
    found = explained(said("where is it"), near, far)
    assert [each.rule.id for each in found.nearly] == [near.id]
    assert [each.literal for each in found.nearly[0].missing] == [Literal(predicate=has("parcel"))]
    assert found.nearly[0].held is False


def test_what_a_negated_literal_must_not_find_is_shown() -> None:
    near = rule(mentions("where"), no(has("refund")))
    (found,) = explained(said("where is my refund"), near).nearly
    (missing,) = found.missing
    assert (missing.held, missing.spans) == (False, (Span(start=12, end=18),))


def test_a_rule_nearly_fires_when_one_literal_is_undecided() -> None:
    (found,) = explained(said("where is it"), rule(mentions("where"), has("x", "screen"))).nearly
    assert (found.held, found.missing[0].held) == (None, None)


def test_a_rule_of_which_nothing_is_there_does_not_nearly_fire() -> None:
    alone, negations = rule(has("parcel")), rule(has("parcel"), no(has("box")))
    found = explained(said("hello"), alone, negations)
    assert found == Explanation(fired=(), nearly=(), undecided=())


def test_a_rule_with_nothing_but_an_unread_channel_is_undecided() -> None:
    open_rule = rule(has("a", "screen"), has("b", "screen"))
    assert [each.rule for each in explained(said("hello"), open_rule).undecided] == [open_rule]


TEXTS = st.text(alphabet="ab 退.\n", max_size=12)
PHRASES = st.text(alphabet="ab 退.", min_size=1, max_size=3).filter(lambda text: text.strip())
PREDICATES = st.builds(has, PHRASES, st.sampled_from(["last", "screen"]))
BODIES = st.lists(PREDICATES | st.builds(no, PREDICATES), min_size=1, max_size=4)


@given(phrase=PHRASES, text=TEXTS)
def test_occurrences_agree_with_occurs(phrase: str, text: str) -> None:
    found = list(occurrences(phrase, text))
    assert bool(found) is occurs(phrase, text)
    assert all(text[span.start : span.end] == phrase for span in found)


@given(bodies=st.lists(BODIES, max_size=5), text=TEXTS, screen=st.none() | TEXTS)
def test_fired_is_what_evaluation_says(
    bodies: list[list[Part]], text: str, screen: str | None
) -> None:
    evidence = Evidence.of({"last": [text], "screen": None if screen is None else [screen]})
    rules = {made.id: made for made in (rule(*body) for body in bodies)}
    rule_set = RuleSet(task="intent", rules=tuple(rules.values()))
    found, plain = explain(rule_set, evidence, LEXICON), evaluate(rule_set, evidence, LEXICON)
    assert tuple(each.rule for each in found.fired) == plain.fired
    undecided = {each.rule.id for each in (*found.undecided, *found.nearly) if each.held is None}
    assert undecided == {each.id for each in plain.undecided}


def tried(text: str, label: str | None, *rules: Rule) -> Trial:
    place = Place(origin="intent.rules", line=1, column=1)
    example = RuleExample(texts={"last": (text,)}, label=label, place=place)
    read = RulesText(rule_set=RuleSet(task="intent", rules=rules), examples=(example,), places={})
    (trial,) = try_examples(read, LEXICON, reliability=0.9)
    return trial


def test_an_example_passes_when_the_rules_that_agree_answer_its_label() -> None:
    trial = tried("Where is it?", "track", rule(mentions("where")), rule(has("it")))
    assert trial.passed
    assert isinstance(trial.verdict, Answered)


def test_an_example_fails_on_another_label_on_silence_and_on_a_conflict() -> None:
    track, refund = rule(mentions("where")), rule(mentions("refund"), label="refund")
    assert not tried("where is it", "refund", track, refund).passed
    assert not tried("hello", "track", track, refund).passed
    assert not tried("where is my refund", "track", track, refund).passed


def test_an_example_of_nothing_passes_when_no_rule_answers() -> None:
    track, refund = rule(mentions("where")), rule(mentions("refund"), label="refund")
    assert tried("hello", None, track).passed
    assert tried("where is my refund", None, track, refund).passed
    assert not tried("where is it", None, track).passed
