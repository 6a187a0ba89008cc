"""Release: canonical bytes, digest, and what is refused."""

import json
from dataclasses import replace
from hashlib import sha256
from itertools import combinations
from typing import Any

import pytest

from rule_store import (
    Has,
    InvalidRelease,
    Lexicon,
    Line,
    Literal,
    Mentions,
    Predicate,
    Reaches,
    Release,
    Reliability,
    Rule,
    TaskRules,
    canonical_bytes,
    digest,
    labels_digest,
    read_release,
)

LABELS = ("track_order", "refund")
WHERE = Literal(predicate=Has(channel="last", phrase="where"))
PARCEL = Literal(predicate=Mentions(channel="user", concept="parcel"), negated=True)
RULE = Rule(task="intent", body=(WHERE, PARCEL), label="track_order", note="the author's words")


def make_task(*rules: Rule) -> TaskRules:
    return TaskRules(
        labels=LABELS,
        rules=rules,
        reliability={rule.id: Reliability(value=0.9, fitted=False) for rule in rules},
        answer_at=0.85,
        fuse_at=0.0,
        vote_weight=1,
        defaults=True,
    )


def make_release(task: TaskRules) -> Release:
    return Release(
        domain="storefront",
        labels_digest=labels_digest({"intent": LABELS}),
        tasks={"intent": task},
        lexicon=Lexicon.of({"parcel": ["parcel", "Package"]}),
        bundle=None,
        examples_digest=None,
        settings={"seed": 0},
    )


RELEASE = make_release(make_task(RULE))


def changed(*path: str | int, value: object) -> bytes:
    """The release's bytes with one value in them replaced."""
    top: Any = json.loads(canonical_bytes(RELEASE))
    inner = top
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return json.dumps(top).encode()


def test_the_bytes_are_canonical_json() -> None:
    body = '[{"channel":"last","has":"where"},{"channel":"user","mentions":"parcel","not":true}]'
    digest_of_labels = sha256(b'{"intent":["track_order","refund"]}').hexdigest()
    assert canonical_bytes(RELEASE).decode() == (
        '{"bundle":null,"domain":"storefront","examples_digest":null,'
        f'"labels_digest":"{digest_of_labels}",'
        '"lexicon":{"parcel":["package","parcel"]},"schema":"1.0","settings":{"seed":0},'
        '"tasks":{"intent":{"answer_at":0.85,"defaults":true,"fuse_at":0.0,'
        '"labels":["track_order","refund"],'
        f'"rules":[{{"body":{body},"fitted":false,"id":"{RULE.id}","label":"track_order",'
        '"reliability":0.9}],"vote_weight":1.0}}}'
    )


def test_the_bytes_are_read_back() -> None:
    assert read_release(canonical_bytes(RELEASE)) == RELEASE


def test_the_digest_names_the_content() -> None:
    content = canonical_bytes(RELEASE)
    assert digest(content) == f"sha256:{sha256(content).hexdigest()}"


def test_only_what_decides_moves_the_digest() -> None:
    told_otherwise = replace(RULE, body=(PARCEL, WHERE, PARCEL), note="other words")
    same = make_release(make_task(told_otherwise))
    assert same == RELEASE
    assert canonical_bytes(same) == canonical_bytes(RELEASE)
    other = make_release(replace(make_task(RULE), answer_at=0.86))
    assert canonical_bytes(other) != canonical_bytes(RELEASE)


def test_equal_numbers_have_one_form() -> None:
    task = replace(make_task(RULE), fuse_at=-0.0, vote_weight=1.0)
    same = replace(make_release(task), settings={"seed": 0.0})
    assert canonical_bytes(same) == canonical_bytes(RELEASE)


def test_the_rule_set_and_reliabilities_are_ready_to_decide_with() -> None:
    assert RELEASE.rule_set("intent").rules == (RULE.canonical(),)
    assert RELEASE.tasks["intent"].reliabilities() == {RULE.id: 0.9}


def test_the_labels_digest_knows_the_order_of_labels_but_not_of_tasks() -> None:
    assert labels_digest({"a": ("x", "y"), "b": ("z",)}) == labels_digest(
        {"b": ("z",), "a": ("x", "y")}
    )
    assert labels_digest({"a": ("x", "y")}) != labels_digest({"a": ("y", "x")})


def test_fields_of_a_later_minor_schema_are_left_aside() -> None:
    top = json.loads(canonical_bytes(RELEASE))
    top |= {"schema": "1.7", "mixer": {"weights": [1]}}
    assert read_release(json.dumps(top).encode()) == RELEASE


RULE_PATH = ("tasks", "intent", "rules", 0)


@pytest.mark.parametrize(
    ("content", "where", "fault"),
    [
        (b"", "", "not the JSON expected"),
        (b"\xff\xfe", "", "not UTF-8 at byte 0"),
        (b'{"schema"', "", "line 1, column 10"),
        (b"[]", "", "must be an object, not a list"),
        (b"{}", "schema", "is missing"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b"9" * 5000, "", "not the JSON expected"),
        (b'{"a":1,"a":2}', "", "a key twice"),
        (b'{"schema":NaN}', "", "NaN is not a number"),
        (b'{"schema":1e999}', "", "too large"),
        (b" " * (16 * 1024 * 1024 + 1), "", "more than the 16777216 allowed"),
        (changed("schema", value="2.0"), "schema", "2.0 is unknown"),
        (changed("schema", value="1"), "schema", "major.minor"),
        (changed("schema", value=1), "schema", "must be a text, not a number"),
        (changed("domain", value="Store/front"), "domain", "a-z, 0-9 and hyphens"),
        (changed("labels_digest", value="0" * 64), "labels_digest", "rebuild"),
        (changed("bundle", value=3), "bundle", "must be a text"),
        (changed("bundle", value=""), "bundle", "1 to 128"),
        (changed("tasks", value={}), "tasks", "1 to 64"),
        (changed("tasks", "intent", value=[]), "tasks.intent", "must be an object"),
        (changed("tasks", "intent", "labels", value=[]), "tasks.intent.labels", "each once"),
        (changed("tasks", "intent", "labels", value=["a", 1]), "labels[1]", "must be a text"),
        (changed("tasks", "intent", "labels", value=["a", "a"]), "labels", "each once"),
        (changed("tasks", "intent", "labels", value=["\ud800"]), "labels[0]", "lone surrogate"),
        (changed("tasks", "intent", "labels", value=["refund"]), "rules[0]", "has no label"),
        (changed("tasks", "intent", "answer_at", value=1.5), "answer_at", "[0, 1]"),
        (changed("tasks", "intent", "answer_at", value=True), "answer_at", "must be a number"),
        (changed("tasks", "intent", "vote_weight", value=-1), "vote_weight", "must be in"),
        (changed("tasks", "intent", "vote_weight", value=10**400), "vote_weight", "too large"),
        (changed("tasks", "intent", "defaults", value=0), "defaults", "true or false"),
        (changed(*RULE_PATH, value=7), "tasks.intent.rules[0]", "must be an object"),
        (changed(*RULE_PATH, "id", value="0" * 16), "rules[0].id", f"is not {RULE.id}"),
        (changed(*RULE_PATH, "label", value="refund"), "rules[0].id", "is not"),
        (changed(*RULE_PATH, "reliability", value=1.01), "rules[0].reliability", "[0, 1]"),
        (changed(*RULE_PATH, "reliability", value=-0.1), "rules[0].reliability", "[0, 1]"),
        (changed(*RULE_PATH, "body", value=[]), "rules[0]", "at least one literal"),
        (changed(*RULE_PATH, "body", 0, value={"channel": "last"}), "body[0]", "one of"),
        (changed(*RULE_PATH, "body", 0, "channel", value="x"), "rules[0]", "unknown channel"),
        (changed(*RULE_PATH, "body", 0, "has", value=" "), "rules[0]", "is empty"),
        (changed("lexicon", value={"other": ["x"]}), "rules[0]", 'lacks "parcel"'),
        (changed("lexicon", "parcel", value=[]), "lexicon", "has no phrases"),
        (changed("settings", "seed", value=[]), "settings.seed", "must be a text or a number"),
        (changed("settings", "seed", value=2**60), "settings.seed", "2^53"),
        (changed("settings", "seed", value="x" * 1001), "settings.seed", "1000 characters"),
    ],
)
def test_a_bad_release_is_refused_with_what_and_where(
    content: bytes, where: str, fault: str
) -> None:
    with pytest.raises(InvalidRelease) as refusal:
        read_release(content)
    assert refusal.value.where.endswith(where)
    assert fault in refusal.value.fault
    assert str(refusal.value).startswith("invalid release")


def test_a_rule_twice_is_refused() -> None:
    rules = json.loads(canonical_bytes(RELEASE))["tasks"]["intent"]["rules"]
    with pytest.raises(InvalidRelease, match="a second time"):
        read_release(changed("tasks", "intent", "rules", value=rules * 2))


TESTS: tuple[dict[str, Any], ...] = (
    {"channel": "last", "has": "a"},
    {"channel": "last", "line": "a"},
    {"channel": "last", "mentions": "parcel"},
    {"fact": "turns", "reaches": 2},
)


@pytest.mark.parametrize(("one", "other"), list(combinations(TESTS, 2)))
def test_a_literal_must_not_hold_two_tests(one: dict[str, Any], other: dict[str, Any]) -> None:
    with pytest.raises(InvalidRelease, match="must hold one of"):
        read_release(changed(*RULE_PATH, "body", 0, value={**one, **other}))


@pytest.mark.parametrize("test", ["matches", "reaches_any", "Has", "fact", "at_least"])
def test_a_test_of_a_later_kdsl_is_refused_and_never_passed_over(test: str) -> None:
    """Passed over, the rule would fire more often than its author said."""
    with pytest.raises(InvalidRelease, match="update kdsl") as refusal:
        read_release(changed(*RULE_PATH, "body", 1, value={"channel": "last", test: 1}))
    assert refusal.value.where.endswith("rules[0].body[1]")


@pytest.mark.parametrize(
    ("literal", "where", "fault"),
    [
        ({"channel": "last", "line": 1}, "line", "must be a text"),
        ({"channel": "last", "line": "\ud800"}, "line", "lone surrogate"),
        ({"channel": "last", "line": " "}, "", "is empty"),
        ({"channel": "last", "line": "x" * 201}, "", "shorten it to 200"),
        ({"channel": "turns", "line": "x"}, "", "unknown channel"),
        ({"line": "x"}, "channel", "is missing"),
        ({"channel": "last", "mentions": "parcel", "at_least": True}, "at_least", "whole number"),
        ({"channel": "last", "mentions": "parcel", "at_least": 2.0}, "at_least", "whole number"),
        ({"channel": "last", "mentions": "parcel", "at_least": "2"}, "at_least", "whole number"),
        ({"channel": "last", "mentions": "parcel", "at_least": None}, "at_least", "whole number"),
        ({"channel": "last", "mentions": "parcel", "at_least": 0}, "", "between 1 and 1000"),
        ({"channel": "last", "mentions": "parcel", "at_least": 1001}, "", "between 1 and 1000"),
        ({"channel": "last", "mentions": "parcel", "at_least": 10**4000}, "", "between 1 and 1000"),
        ({"reaches": 1}, "fact", "is missing"),
        ({"channel": "last", "reaches": 1}, "fact", "is missing"),
        ({"fact": "last", "reaches": 1}, "", "unknown fact"),
        ({"fact": 1, "reaches": 1}, "fact", "must be a text"),
        ({"fact": "turns", "reaches": True}, "reaches", "must be a number"),
        ({"fact": "turns", "reaches": "1"}, "reaches", "must be a number"),
        ({"fact": "turns", "reaches": None}, "reaches", "must be a number"),
        ({"fact": "turns", "reaches": 2e9}, "", "between ±1,000,000,000"),
        ({"fact": "turns", "reaches": 10**4000}, "reaches", "too large"),
        ({"fact": "turns", "reaches": 1, "not": 1}, "not", "true or false"),
    ],
)
def test_a_bad_literal_is_refused_with_what_and_where(
    literal: dict[str, object], where: str, fault: str
) -> None:
    with pytest.raises(InvalidRelease) as refusal:
        read_release(changed(*RULE_PATH, "body", 0, value=literal))
    assert refusal.value.where == "tasks.intent.rules[0]" + (f".body[0].{where}" if where else "")
    assert fault in refusal.value.fault
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_a_number_that_is_none_is_refused_as_no_json(number: str) -> None:
    text = changed(*RULE_PATH, "body", 0, value={"fact": "turns", "reaches": 77}).decode()
    assert text.count("77") == 1
    with pytest.raises(InvalidRelease, match="not the JSON expected"):
        read_release(text.replace("77", number).encode())


@pytest.mark.parametrize(
    "predicate",
    [
        Has(channel="last", phrase="where"),
        Line(channel="screen.lines", line="我的订单"),
        Mentions(channel="screen", concept="parcel", at_least=1000),
        Reaches(fact="screen.height_by_width", value=1.7778),
        Reaches(fact="turns", value=-1e9),
    ],
)
@pytest.mark.parametrize("negated", [False, True])
def test_a_rule_of_any_predicate_is_read_back(predicate: Predicate, negated: bool) -> None:
    body = (Literal(predicate=predicate, negated=negated),)
    release = make_release(make_task(Rule(task="intent", body=body, label="refund")))
    assert read_release(canonical_bytes(release)) == release
    (read,) = read_release(canonical_bytes(release)).tasks["intent"].rules
    assert read.body == body


def test_a_whole_number_says_what_its_decimal_says() -> None:
    body = (Literal(predicate=Reaches(fact="turns", value=5)),)
    release = make_release(make_task(Rule(task="intent", body=body, label="refund")))
    told = canonical_bytes(release)
    assert told.count(b'"reaches":5.0') == 1
    assert read_release(told.replace(b'"reaches":5.0', b'"reaches":5')) == release


def test_the_path_to_an_odd_name_is_quoted_and_cut() -> None:
    with pytest.raises(InvalidRelease) as refusal:
        read_release(changed("settings", value={"x\n" * 1000: None}))
    assert refusal.value.where.startswith(r'settings."x\nx\n')
    assert len(str(refusal.value)) < 300


def test_a_release_cannot_be_made_that_contradicts_itself() -> None:
    with pytest.raises(InvalidRelease, match="reliability"):
        make_release(replace(make_task(RULE), reliability={}))
    with pytest.raises(InvalidRelease, match="settings"):
        replace(RELEASE, settings={"seed": True})
    with pytest.raises(InvalidRelease, match="answer_at"):
        make_release(replace(make_task(RULE), answer_at=float("nan")))
