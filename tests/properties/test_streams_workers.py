"""Whatever a record holds, a worker makes of it tags, deferred questions or one dead letter."""

import asyncio
import hashlib
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.codec import (
    decode_dead_letter,
    decode_deferred,
    decode_event,
    decode_tag,
    encode_deferred,
    encode_event,
)
from streams.events import DialogueEvent, Question
from streams.failures import Failures
from streams.metrics import Metrics
from streams.questions import questions
from streams.records import Output, Record
from streams.resolver import Resolver
from streams.role import Outputs, Role
from streams.tagger import Tagger
from tests import factories as make
from tests.fakes import FakeModelSide, FakeScorer

DOMAIN = make.domain()
RELEASE = make.active_release(DOMAIN)
STORE = "https://images.example/shop"

EVENTS = (
    make.event(),
    make.event(make.user("hello"), make.agent("yes?"), make.user("refund please")),
    make.event(
        make.user("", make.image("i1", make.png(), media_type="image/png")),
        make.user("where", make.image("i2"), make.image("i3", make.png(shade=7))),
        first_turn_index=3,
        tasks=("scene", "intent"),
    ),
)


def deferred(event: DialogueEvent) -> bytes:
    return encode_deferred(make.deferred(encode_event(event), *questions(event, DOMAIN)))


RECORDS = {
    "tagger": [encode_event(event) for event in EVENTS],
    "resolver": [deferred(event) for event in EVENTS],
}


def tagger() -> Tagger:
    made = Tagger(
        domain=DOMAIN,
        image_prefixes=(STORE,),
        early_answer=True,
        metrics=Metrics("tagger"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    made.use(RELEASE)
    return made


def resolver() -> Resolver:
    made = Resolver(
        domain=DOMAIN,
        model_side=FakeModelSide(DOMAIN, scorer=FakeScorer(DOMAIN)),
        metrics=Metrics("resolver"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    made.use(RELEASE)
    return made


def decide(role: Role, values: Sequence[bytes]) -> list[tuple[Record, Outputs]]:
    records = [make.record(value, offset=offset) for offset, value in enumerate(values)]
    decided = asyncio.run(role.decide(records))
    return list(zip(records, decided, strict=True))


def answered_and_open(outputs: Outputs) -> list[Question]:
    """Every question that the outputs answer or hand on."""
    found: list[Question] = []
    for output in outputs:
        if output.kind == "tags":
            tag = decode_tag(output.value)
            found.append(Question(task=tag.task, image_id=tag.image_id))
        else:
            assert output.kind == "deferred"
            found.extend(each.question for each in decode_deferred(output.value).questions)
    return found


def is_dead_letter_of(record: Record, outputs: Sequence[Output]) -> bool:
    """Whether the outputs are one dead letter, which then must tell the record's whole story."""
    if not any(output.kind == "dead_letters" for output in outputs):
        return False
    (output,) = outputs
    letter = decode_dead_letter(output.value)
    assert letter.reason != "failed", letter.detail  # a defect of ours, not of the record
    assert (letter.topic, letter.partition, letter.offset, letter.key) == (
        record.topic,
        record.partition,
        record.offset,
        record.key,
    )
    assert (letter.record, letter.cut) == (record.value, False)
    assert letter.record_sha256 == hashlib.sha256(record.value or b"").hexdigest()
    return True


def check_tagger(record: Record, outputs: Outputs) -> None:
    if not is_dead_letter_of(record, outputs):
        asked = questions(decode_event(record.value or b""), DOMAIN)
        assert sorted(map(repr, answered_and_open(outputs))) == sorted(map(repr, asked))


def check_resolver(record: Record, outputs: Outputs) -> None:
    if not is_dead_letter_of(record, outputs):
        opened = decode_deferred(record.value or b"").questions
        assert answered_and_open(outputs) == list(dict.fromkeys(each.question for each in opened))


@st.composite
def mutated(draw: st.DrawFn, role: str) -> bytes:
    """A valid record with a few bytes changed, put in, left out, or cut off at the end."""
    raw = bytearray(draw(st.sampled_from(RECORDS[role])))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        match draw(st.sampled_from(("change", "insert", "drop", "cut"))):
            case "change":
                raw[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "insert":
                raw[at:at] = draw(st.binary(min_size=1, max_size=3))
            case "drop":
                del raw[at : at + draw(st.integers(1, 3))]
            case _:
                del raw[at:]
    return bytes(raw)


def batches(role: str) -> st.SearchStrategy[list[bytes]]:
    return st.lists(st.binary(max_size=100) | mutated(role), min_size=1, max_size=5)


@settings(max_examples=150, deadline=None)
@given(values=batches("tagger"))
def test_a_tagger_answers_defers_or_dead_letters_every_record(values: list[bytes]) -> None:
    for record, outputs in decide(tagger(), values):
        check_tagger(record, outputs)


@settings(max_examples=100, deadline=None)
@given(values=batches("resolver"))
def test_a_resolver_answers_or_dead_letters_every_record(values: list[bytes]) -> None:
    for record, outputs in decide(resolver(), values):
        check_resolver(record, outputs)


@settings(max_examples=40, deadline=None)
@given(bad=mutated("tagger"))
def test_a_bad_record_changes_nothing_for_its_neighbours(bad: bytes) -> None:
    good = RECORDS["tagger"][0]
    alone = [tag_of(outputs) for _, outputs in decide(tagger(), [good, good])]
    among = decide(tagger(), [good, bad, good])
    assert [tag_of(outputs) for _, outputs in (among[0], among[2])] == alone


def tag_of(outputs: Outputs) -> tuple[str, str | None, float]:
    (output,) = outputs
    tag = decode_tag(output.value)
    return tag.tag_id, tag.label, tag.confidence
