"""Builders of small, complete values; a test names only what it is about."""

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import msgpack
from PIL import Image

from rule_store import Lexicon, canonical_bytes, digest, read_rules
from streams.active_release import ActiveRelease
from streams.building import build_release, pack_rules
from streams.domain import AlertPolicy, Domain, Label, Task
from streams.events import (
    Alert,
    Candidate,
    DeadLetter,
    Deferred,
    DialogueEvent,
    Feedback,
    ImageRef,
    OpenQuestion,
    Question,
    Tag,
    Turn,
)
from streams.records import Record
from streams.shadow_records import ShadowAnswer, ShadowDifference

NOW_MS = 1_800_000_000_000
RELEASE = "sha256:" + "a" * 64

LABELS: Mapping[str, tuple[str, ...]] = {
    "intent": ("track", "refund", "other"),
    "scene": ("receipt", "chat"),
}
# "where" alone settles the intent; a refund is settled by the text unless a voucher is on screen.
RULES: Mapping[str, str] = {
    "intent": """
        when last has "where" then track
        when last mentions refund then refund
        when last has "help" and screen has "voucher" then other
    """,
    "scene": """
        when screen has "total" then receipt
        when screen.top has "online" then chat
    """,
}
CONCEPTS: Mapping[str, tuple[str, ...]] = {"refund": ("money back", "refund")}
REFUNDS = AlertPolicy(
    name="refunds",
    task="intent",
    labels=frozenset({"refund"}),
    min_confidence=0.5,
    cooldown_s=600.0,
    max_age_s=3600.0,
)


def png(*, width: int = 8, height: int = 8, shade: int = 0) -> bytes:
    """A picture of one grey; different shades have different digests."""
    content = BytesIO()
    Image.new("L", (width, height), shade).save(content, "PNG")
    return content.getvalue()


def image(image_id: str = "i1", content: bytes | None = None, **fields: Any) -> ImageRef:
    return ImageRef(image_id=image_id, content=content, **fields)


def user(text: str = "", *images: ImageRef) -> Turn:
    return Turn(speaker="user", text=text, images=images)


def agent(text: str = "", *images: ImageRef) -> Turn:
    return Turn(speaker="agent", text=text, images=images)


def event(*turns: Turn, **fields: Any) -> DialogueEvent:
    given: dict[str, Any] = {
        "domain": "shop",
        "event_id": "e1",
        "dialogue_id": "d1",
        "sent_at_ms": NOW_MS,
        "turns": turns or (user("where is it"),),
    }
    return DialogueEvent(**given | fields)


def deferred(record: bytes, *questions: Question, **fields: Any) -> Deferred:
    opened = tuple(OpenQuestion(question=each, reason="no_rule") for each in questions)
    given: dict[str, Any] = {
        "record": record,
        "questions": opened or (OpenQuestion(question=Question(task="intent"), reason="no_rule"),),
        "accepted_at_ms": NOW_MS,
        "release": RELEASE,
    }
    return Deferred(**given | fields)


def tag(**fields: Any) -> Tag:
    """An answer of the rules: the intent of event e1 is a refund."""
    given: dict[str, Any] = {
        "domain": "shop",
        "event_id": "e1",
        "dialogue_id": "d1",
        "turn_index": 0,
        "sent_at_ms": NOW_MS,
        "task": "intent",
        "image_id": None,
        "label": "refund",
        "confidence": 0.9,
        "candidates": (Candidate(label="refund", probability=0.9),),
        "source": "rules",
        "reason": None,
        "degraded": None,
        "rules": ("0123456789abcdef",),
        "release": RELEASE,
        "bundle": None,
    }
    return Tag(**given | fields)


def alert(**fields: Any) -> Alert:
    given: dict[str, Any] = {
        "alert_id": "f" * 32,
        "domain": "shop",
        "dialogue_id": "d1",
        "event_id": "e1",
        "tag_id": "0" * 32,
        "policy": "refunds",
        "task": "intent",
        "image_id": None,
        "label": "refund",
        "confidence": 0.9,
        "turn_index": 0,
        "sent_at_ms": NOW_MS,
        "window_start_ms": NOW_MS,
    }
    return Alert(**given | fields)


def feedback(**fields: Any) -> Feedback:
    given: dict[str, Any] = {
        "domain": "shop",
        "event_id": "e1",
        "dialogue_id": "d1",
        "tag_id": "0" * 32,
        "task": "intent",
        "image_id": None,
        "label": "track",
        "operator_id": "op-7",
        "given_at_ms": NOW_MS,
    }
    return Feedback(**given | fields)


def dead_letter(**fields: Any) -> DeadLetter:
    given: dict[str, Any] = {
        "reason": "undecodable",
        "detail": "event is not MessagePack: ValueError",
        "role": "tagger",
        "topic": "dialogue.events",
        "partition": 2,
        "offset": 41,
        "timestamp_ms": NOW_MS,
        "key": b"d1",
        "record": b"\xc1",
        "record_sha256": "0" * 64,
        "record_length": 1,
        "cut": False,
        "attempts": 1,
        "failed_at_ms": NOW_MS,
    }
    return DeadLetter(**given | fields)


def shadow_difference(
    *, label: str = "track", instead: str | None = "refund", **fields: Any
) -> ShadowDifference:
    """One label in force and another in shadow; with an `open_reason` the shadow has no answer."""
    answered = ShadowAnswer(
        label=label, confidence=0.9, source="rules", reason=None, rules=("0123456789abcdef",)
    )
    given: dict[str, Any] = {
        "domain": "shop",
        "role": "tagger",
        "event_id": "e1",
        "dialogue_id": "d1",
        "turn_index": 0,
        "sent_at_ms": NOW_MS,
        "task": "intent",
        "image_id": None,
        "active": RELEASE,
        "shadow": "sha256:" + "b" * 64,
        "answered": answered,
        "instead": None if "open_reason" in fields else replace(answered, label=instead),
        "open_reason": None,
        "compared_at_ms": NOW_MS,
    }
    return ShadowDifference(**given | fields)


def record(value: bytes | None, **fields: Any) -> Record:
    """A record as a worker reads it."""
    given: dict[str, Any] = {
        "topic": "dialogue.events",
        "partition": 2,
        "offset": 41,
        "timestamp_ms": NOW_MS - 5,
        "key": b"d1",
        "value": value,
    }
    return Record(**given | fields)


def domain(
    *,
    name: str = "shop",
    rules: Mapping[str, str] = RULES,
    labels: Mapping[str, tuple[str, ...]] = LABELS,
    policies: tuple[AlertPolicy, ...] = (REFUNDS,),
) -> Domain:
    """A domain pack in code; a task without rules has none."""
    lexicon = Lexicon.of(CONCEPTS)
    tasks = {
        task: Task(
            name=task,
            labels=tuple(Label(name=label, description=f"It is {label}.") for label in names),
            answer_within_s=10.0,
            assumed_reliability=0.9,
        )
        for task, names in labels.items()
    }
    return Domain(
        name=name,
        language="en",
        description="A shop in a test.",
        tasks=tasks,
        lexicon=lexicon,
        rule_sets={
            task: read_rules(rules.get(task, ""), task=task, labels=labels[task], lexicon=lexicon)
            for task in tasks
        },
        alert_policies=policies,
    )


def active_release(of: Domain) -> ActiveRelease:
    """The release that `kdsl release build` makes of a pack alone, in force."""
    release = build_release(of, pack_rules(of))
    return ActiveRelease.of(release, digest=digest(canonical_bytes(release)), domain=of)


def write_pack(folder: Path, edit: Mapping[str, str] | None = None) -> Path:
    """A well-formed pack as a folder, with files replaced by `edit`; an empty text drops one."""
    files: dict[str, str] = {**PACK_FILES, **(edit or {})}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        if text:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


PACK_FILES: Mapping[str, str] = {
    "domain.toml": """
name = "kiosk"
language = "en"
description = "A kiosk in a test."

[tasks.intent]
answer_within_s = 10
assumed_reliability = 0.8

[[tasks.intent.labels]]
name = "buy"
description = "They want to buy something."

[[tasks.intent.labels]]
name = "complain"
description = "They are unhappy."

[[alerts]]
name = "unhappy"
task = "intent"
labels = ["complain"]
min_confidence = 0.6
cooldown_s = 900
max_age_s = 3600
""",
    "lexicon.toml": '[concepts]\nanger = ["angry", "FED UP"]\n',
    "intent.rules": 'when last mentions anger then complain note "angry people"\n',
}


def padded(raw: bytes, size: int) -> bytes:
    """A record of exactly `size` bytes: with a field that only a later minor version knows."""
    fields = msgpack.unpackb(raw)

    def with_field(length: int) -> bytes:
        packed: bytes = msgpack.packb({**fields, "later": bytes(length)})
        return packed

    length = size - len(with_field(0))
    while len(with_field(length)) > size:  # a longer byte string has a longer head
        length -= 1
    return with_field(length)
