"""Names and descriptions of labels become rules; nobody labelled anything."""

import pytest

from rule_store import Lexicon, Rule, print_body
from rule_store.mining.described import described_rules
from tests.rules import has, rule

LEXICON = Lexicon.of(
    {
        "delivery": ["parcel", "courier"],
        "damage": ["broken", "cracked", "smashed"],
        "advice": ["recommend", "suggest"],
        "suite": ["set", "bundle"],
    }
)


def bodies(rules: tuple[Rule, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in rules:
        found.setdefault(each.label, []).append(print_body(each.body))
    return found


def described(labels: dict[str, str], **more: object) -> dict[str, list[str]]:
    given = {"lexicon": LEXICON, "channel": "last", **more}
    return bodies(described_rules("intent", labels, **given))  # type: ignore[arg-type]


def test_a_concept_that_one_label_speaks_of_implies_it() -> None:
    labels = {"track": "Where is the parcel? Which courier?", "complaint": "Broken, or cracked."}
    assert described(labels) == {
        "track": ["last mentions delivery"],
        "complaint": ["last mentions damage"],
    }


def test_one_phrase_of_a_description_is_chance_and_one_of_the_name_is_not() -> None:
    assert described({"a": "The parcel.", "b": "Else."}, names=False) == {}
    assert described({"parcel": "Sent.", "b": "Else."}, names=False) == {
        "parcel": ["last mentions delivery"]
    }


def test_a_name_of_several_words_is_read_word_by_word() -> None:
    assert described({"parcel_sent": "", "b": ""}, names=False) == {
        "parcel_sent": ["last mentions delivery"]
    }


def test_of_a_shared_concept_the_label_without_another_gets_what_the_others_leave() -> None:
    labels = {"one": "Recommend or suggest one.", "bundle": "Recommend or suggest a set, a bundle."}
    assert described(labels) == {
        "one": ["last mentions advice and not last mentions suite"],
        "bundle": ["last mentions suite"],
    }


def test_what_more_than_three_labels_share_tells_nothing() -> None:
    labels = {
        "one": "recommend suggest",
        "bundle": "recommend suggest set bundle",
        "courier": "recommend suggest",
        "broken": "recommend suggest",
    }
    assert "one" not in described(labels, names=False)


def test_a_phrase_inside_a_word_is_not_said() -> None:
    """`set` stands in neither `reset` nor `settle`."""
    assert described({"reset": "settle", "b": ""}, names=False) == {}


def test_han_needs_no_word_boundaries() -> None:
    lexicon = Lexicon.of({"锈": ["生锈", "锈迹"]})
    labels = {"是否会生锈": "顾客问商品会不会生锈。", "排水方式": "上排水还是下排水。"}
    assert described(labels, lexicon=lexicon, names=False) == {"是否会生锈": ['last mentions "锈"']}


def test_an_included_concept_speaks_for_the_one_that_includes_it() -> None:
    lexicon = Lexicon.of({"leak": ["drips", "leaks"]}, includes={"trouble": ["leak"]})
    assert described({"defect": "It drips or leaks.", "b": ""}, lexicon=lexicon, names=False) == {
        "defect": ["last mentions leak"]
    }


def test_without_a_concept_the_name_speaks() -> None:
    labels = {"freeze_account": "", "close_account": ""}
    found = described(labels, lexicon=Lexicon(concepts={}))
    assert found == {"freeze_account": ['last has "freeze"'], "close_account": ['last has "close"']}


def test_a_label_with_a_written_rule_gets_none() -> None:
    labels = {"track": "parcel courier", "complaint": "broken cracked"}
    written = (rule(has("where"), label="track"),)
    assert described(labels, written=written) == {"complaint": ["last mentions damage"]}


def test_what_could_never_answer_beside_a_written_rule_is_left_out() -> None:
    labels = {"track": "parcel courier", "complaint": "broken cracked"}
    written = (rule(has("r"), label="track"), rule(has("broken"), label="track"))
    damage = Lexicon.of({"damage": ["broken"]})
    assert described({**labels, "complaint": ""}, written=written, names=False) == {}
    named = {"track": "", "broken": ""}
    assert described(named, lexicon=damage, written=written) == {}


@pytest.mark.parametrize("channel", ["last", "screen.top"])
def test_rules_look_where_they_are_told(channel: str) -> None:
    labels = {"track": "parcel courier", "b": ""}
    assert described(labels, channel=channel, names=False) == {
        "track": [f"{channel} mentions delivery"]
    }
