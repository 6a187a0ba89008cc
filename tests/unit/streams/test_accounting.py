"""The books of a run: every question asked, and what became of it."""

from streams.accounting import Accounts, Latency, Summary
from streams.codec import encode_deferred, encode_event
from streams.events import DeadLetter, DialogueEvent, Question, Tag
from tests import factories as make

DOMAIN = make.domain()
INTENT = Question(task="intent")


def asking(name: str, **fields: object) -> DialogueEvent:
    return make.event(make.user("hello"), event_id=name, **fields)


def letter(record: bytes) -> DeadLetter:
    return make.dead_letter(record=record)


def answer(name: str, **fields: object) -> Tag:
    return make.tag(event_id=name, **fields)


def test_a_run_adds_up() -> None:
    accounts = Accounts(DOMAIN)
    for at_ms, name in enumerate("abcd"):
        accounts.sent(asking(name), at_ms=at_ms, label="refund")
    accounts.tag(answer("a"), at_ms=10)  # refund, after 10 ms
    accounts.tag(answer("b", label="track", source="model"), at_ms=5)  # wrong, after 4 ms
    accounts.dead_letter(letter(encode_event(asking("c"))))
    accounts.alert("x")
    accounts.alert("x")
    assert (accounts.asked, accounts.answered) == (4, 2)
    assert accounts.missing == (("d", INTENT),)
    assert accounts.summary() == Summary(
        events=4,
        questions=4,
        missing=1,
        dead_letters=1,
        tags={"rules": 1, "model": 1, "fusion": 0, "abstained": 0},
        alerts=1,
        model_calls_saved=1,
        weighted_f1={"intent": 0.4},  # found 1 of 4, 1 of 1 claims right: 2/5
        latency_ms=Latency(p50=4.0, p99=10.0),
    )


def test_an_event_owes_an_answer_to_every_question() -> None:
    accounts = Accounts(DOMAIN)
    event = make.event(make.user("hello", make.image("i1"), make.image("i2")))
    accounts.sent(event, at_ms=0)
    accounts.tag(make.tag(task="scene", image_id="i2", label="chat"), at_ms=1)
    assert accounts.missing == (("e1", INTENT), ("e1", Question(task="scene", image_id="i1")))


def test_a_label_is_that_of_the_first_task_asked() -> None:
    accounts = Accounts(DOMAIN)
    event = make.event(make.user("hello", make.image()), tasks=("intent", "scene"))
    accounts.sent(event, at_ms=0, label="refund")
    accounts.tag(make.tag(), at_ms=1)
    assert accounts.summary().weighted_f1 == {"intent": 1.0}


def test_a_dead_letter_of_either_hop_accounts_for_its_event() -> None:
    raw = encode_event(asking("a"))
    for record in (raw, encode_deferred(make.deferred(raw))):
        accounts = Accounts(DOMAIN)
        accounts.sent(asking("a"), at_ms=0)
        accounts.dead_letter(letter(record))
        assert accounts.missing == ()


def test_a_dead_letter_of_a_stranger_accounts_for_nothing() -> None:
    accounts = Accounts(DOMAIN)
    accounts.sent(asking("a"), at_ms=0)
    for record in (None, b"", b"\xc1"):
        accounts.dead_letter(make.dead_letter(record=record))
    assert accounts.missing == (("a", INTENT),)
    assert accounts.summary().dead_letters == 3


def test_of_two_tags_for_one_question_the_preferred_counts_and_the_first_is_the_latency() -> None:
    whole, degraded = answer("a", decided_at_ms=1), answer("a", degraded="too_late", label="track")
    later = answer("a", decided_at_ms=2, label="other")
    for tags, label in (
        ((whole, degraded), "refund"),
        ((degraded, whole), "refund"),
        ((whole, later), "other"),
        ((later, whole), "other"),
    ):
        accounts = Accounts(DOMAIN)
        accounts.sent(asking("a"), at_ms=0, label=label)
        for at_ms, tag in enumerate(tags, start=7):
            accounts.tag(tag, at_ms=at_ms)
        assert accounts.summary().weighted_f1 == {"intent": 1.0}
        assert accounts.summary().latency_ms == Latency(p50=7.0, p99=7.0)
        assert accounts.duplicates == 1


def test_tags_of_others_do_not_count() -> None:
    accounts = Accounts(DOMAIN)
    accounts.sent(asking("a"), at_ms=0)
    accounts.tag(answer("stranger"), at_ms=5)
    summary = accounts.summary()
    assert sum(summary.tags.values()) == 0
    assert summary.latency_ms == Latency(p50=None, p99=None)


def test_an_unlabelled_run_has_no_f1_and_the_json_keeps_the_promised_names() -> None:
    assert Accounts(DOMAIN).summary().as_json() == {
        "events": 0,
        "questions": 0,
        "missing": 0,
        "dead_letters": 0,
        "tags": {"rules": 0, "model": 0, "fusion": 0, "abstained": 0},
        "alerts": 0,
        "model_calls_saved": 0,
        "weighted_f1": {},
        "latency_ms": {"p50": None, "p99": None},
    }


def test_quantiles_of_a_hundred_waits() -> None:
    accounts = Accounts(DOMAIN)
    for wait_ms in range(1, 101):
        accounts.sent(asking(str(wait_ms)), at_ms=0)
        accounts.tag(answer(str(wait_ms)), at_ms=wait_ms)
    assert accounts.summary().latency_ms == Latency(p50=50.0, p99=99.0)
