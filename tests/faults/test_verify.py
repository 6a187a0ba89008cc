"""The count of losses counts: each kind of damage shows, and harmless repetition does not."""

from collections.abc import Sequence

import pytest

from streams.codec import encode_dead_letter, encode_deferred, encode_event, encode_tag
from streams.events import DialogueEvent, Question
from streams.records import Record
from tests import factories as make
from tests.faults.verify import Outputs, Report, verify

DOMAIN = make.domain()
INTENT = Question(task="intent")


def event(name: str) -> DialogueEvent:
    """`a2` is event 2 of dialogue `a`; it asks for the intent."""
    return make.event(event_id=name, dialogue_id=name[0], first_turn_index=int(name[1:]))


def tag(name: str, *, partition: int = 0) -> Record:
    answer = make.tag(event_id=name, dialogue_id=name[0])
    return make.record(encode_tag(answer), partition=partition)


def deferred(name: str) -> Record:
    return make.record(encode_deferred(make.deferred(encode_event(event(name)), INTENT)))


def dead_letter(record: bytes) -> Record:
    return make.record(encode_dead_letter(make.dead_letter(record=record)))


def report(
    sent: str,
    tags: Sequence[Record] = (),
    *,
    deferred: Sequence[Record] = (),
    dead_letters: Sequence[Record] = (),
    uncommitted: int = 0,
    resolving: bool = False,
) -> Report:
    return verify(
        [event(name) for name in sent.split()],
        Outputs(tags=tags, deferred=deferred, dead_letters=dead_letters),
        domain=DOMAIN,
        uncommitted=uncommitted,
        resolving=resolving,
    )


def test_a_stream_answered_once_and_in_order_is_in_order() -> None:
    found = report("a1 b1 a2", [tag("a1"), tag("b1"), tag("a2")])
    assert found.in_order
    assert (found.sent, found.asked, found.answered, found.duplicates) == (3, 3, 3, 0)


def test_a_question_without_answer_is_missing() -> None:
    found = report("a1 a2 a3", [tag("a1"), tag("a3")])
    assert not found.in_order
    assert found.missing == (("a2", INTENT),)


def test_a_deferred_question_is_answered_only_where_no_resolver_runs() -> None:
    assert report("a1", deferred=[deferred("a1")]).in_order
    found = report("a1 a2", [tag("a2")], deferred=[deferred("a1"), deferred("a2")], resolving=True)
    assert found.missing == (("a1", INTENT),)


@pytest.mark.parametrize(
    "original", [encode_event(event("a1")), deferred("a1").value], ids=["event", "deferred"]
)
def test_a_dead_letter_accounts_for_its_event(original: bytes) -> None:
    found = report("a1", dead_letters=[dead_letter(original), dead_letter(b"\xc1")])
    assert found.in_order
    assert (found.answered, found.dead_letters) == (0, 2)


def test_a_rewind_repeats_and_reorders_nothing() -> None:
    found = report("a1 a2 a3", [tag(name) for name in ("a1", "a2", "a1", "a2", "a3")])
    assert found.in_order
    assert found.duplicates == 2


def test_an_answer_behind_that_of_a_later_event_is_reordered() -> None:
    found = report("a1 a2 a3 a4", [tag(name) for name in ("a1", "a3", "a4", "a2")])
    assert not found.in_order
    assert found.reordered == 1


def test_only_order_in_a_dialogue_and_of_one_output_counts() -> None:
    apart = [tag("b1"), tag("a1"), tag("a2", partition=1)]
    assert report("a1 b1 a2", apart).reordered == 0
    # The resolver answers a1 when the tagger has long answered a2.
    found = report("a1 a2", [tag("a2"), tag("a1")], deferred=[deferred("a1")], resolving=True)
    assert found.in_order
    behind = [deferred("a2"), deferred("a1")]
    assert report("a1 a2", deferred=behind).reordered == 1
    assert report("a1 a2", [tag("a2"), tag("a1")], deferred=behind[::-1]).reordered == 1


def test_an_answer_that_nobody_asked_for_is_unknown() -> None:
    found = report("a1", [tag("a1"), tag("a9")])
    assert not found.in_order
    assert found.unknown == 1


def test_what_is_not_committed_is_not_in_order() -> None:
    assert not report("a1", [tag("a1")], uncommitted=1).in_order
