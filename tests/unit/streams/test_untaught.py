"""Rules of a task before anybody labels an example."""

from dataclasses import replace

import pytest

from streams.errors import DatasetError
from streams.events import Question
from streams.unlabelled import UnlabelledQuestion
from streams.untaught import untaught_tasks, without_labels
from tests import factories as make
from tests.mined import DOMAIN, read, unlabelled
from tests.rules import has, mentions, rule

INTENT = DOMAIN.tasks["intent"]
WRITTEN = rule(has("where"), label="track")
RULE_SET = replace(DOMAIN.rule_sets["intent"], rules=(WRITTEN,))
SHOP = replace(DOMAIN, lexicon=make.domain().lexicon, rule_sets={"intent": RULE_SET})
BOTH = make.domain()
# The names of labels that no rule of the pack implies.
REFUND = rule(mentions("refund"), label="refund")
OTHER = rule(has("other"), label="other")


def asked(example_id: str, text: str = "refund", task: str = "intent") -> UnlabelledQuestion:
    image = None if task == "intent" else "i1"
    question = Question(task=task, image_id=image)
    return UnlabelledQuestion(
        example_id=example_id, dialogue_id="d1", question=question, evidence=read(text)
    )


def test_the_rules_of_the_pack_come_first_and_descriptions_fill_in() -> None:
    found = without_labels(INTENT, SHOP, unlabelled("where", "refund", "other"))
    assert [each.id for each in found.rules] == [WRITTEN.id, REFUND.id, OTHER.id]
    assert found.described == {REFUND.id, OTHER.id}
    assert (found.left_out, found.estimates.covered) == (0, 3)


def test_a_phrase_that_nobody_said_is_left_out_and_a_concept_is_not() -> None:
    found = without_labels(INTENT, SHOP, unlabelled("where"))
    assert found.described == {REFUND.id}
    assert found.left_out == 1


def test_what_others_nearly_always_speak_against_is_left_out() -> None:
    """`other` is said thirty times where two rules of the pack see another label."""
    rules = (rule(has("where"), label="track"), rule(has("parcel"), label="track"))
    shop = replace(SHOP, rule_sets={"intent": replace(RULE_SET, rules=rules)})
    found = without_labels(INTENT, shop, unlabelled(*["where parcel other"] * 30))
    assert OTHER.id not in found.described
    assert found.left_out == 1


def test_each_task_that_is_asked_gets_its_rules() -> None:
    found = untaught_tasks([asked("e1"), asked("e2", task="scene")], BOTH)
    assert [each.name for each in found] == ["intent", "scene"]
    assert [each.name for each in untaught_tasks([asked("e1")], BOTH)] == ["intent"]


def test_a_wanted_task_that_nothing_asks_is_refused_with_the_cure() -> None:
    with pytest.raises(DatasetError, match="no unlabelled example asks scene: give dialogues"):
        untaught_tasks([asked("e1")], BOTH, tasks=["scene"])
    with pytest.raises(DatasetError, match="no unlabelled example asks intent or scene"):
        untaught_tasks([], BOTH)


def test_where_everything_is_left_out_it_is_said_why() -> None:
    unread = replace(asked("e1"), evidence=replace(asked("e1").evidence, facts={}))
    with pytest.raises(DatasetError, match=r"with an unread screen: left out; .* \(1\)"):
        untaught_tasks([unread], BOTH)
