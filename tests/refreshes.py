"""What a refresh is made of: labelled questions, and miners that find what a test says."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inference.inputs import ModelInput
from rule_store import Evidence, read_rules
from rule_store.evidence import CHANNELS, FACTS
from streams.domain import Domain
from streams.events import Question
from streams.labelled import LabelledQuestion
from tests import factories as make

DOMAIN = make.domain(labels={"intent": ("track", "refund", "other")}, rules={"intent": ""})
TWO_TASKS = make.domain(labels={**DOMAIN.labels, "scene": ("receipt", "chat")}, rules={})
TRACK = 'when last has "where" then track\n'
OTHER = 'when last has "hello" then other\n'
REFUND = 'when last has "back" then refund\n'
RECEIPT = 'when screen has "total" then receipt\n'
CHAT = 'when screen has "online" then chat\n'
SAID = {"track": "where is it", "refund": "money back", "other": "hello"}
SHOWN = {"receipt": "total 12.00", "chat": "online now"}


def question(example_id: str, label: str) -> LabelledQuestion:
    """With everything read, and nothing on the screen."""
    text = SAID[label]
    return LabelledQuestion(
        example_id=example_id,
        question=Question(task="intent"),
        label=label,
        evidence=replace(
            Evidence.of({**dict.fromkeys(CHANNELS, ()), "last": [text]}),
            facts=dict.fromkeys(FACTS, 0.0),
        ),
        input=ModelInput(task="intent", texts={"last": text}),
    )


def questions(count: int) -> list[LabelledQuestion]:
    """As many of each label in turn, `d0` and so on: about one in ten is the gate's."""
    labels = list(SAID)
    return [question(f"d{number}", labels[number % 3]) for number in range(count)]


def scenes(count: int) -> list[LabelledQuestion]:
    """As many of both labels in turn, `s0` and so on: what stands on the screen tells them."""
    found = []
    for number in range(count):
        label = list(SHOWN)[number % 2]
        asked = question(f"s{number}", "other")
        shown = Evidence.of({**dict.fromkeys(CHANNELS, ()), "screen": [SHOWN[label]]})
        found.append(
            replace(
                asked,
                question=Question(task="scene", image_id="i1"),
                label=label,
                evidence=replace(shown, facts=asked.evidence.facts),
            )
        )
    return found


class FakeMiner:
    """Finds the rules it was made with, each as reliable as it was told; keeps what it saw.

    Of scenes only when it is given some, as the miner does.
    """

    def __init__(
        self, text: str, *, reliability: float = 1.0, domain: Domain = DOMAIN, scenes: str = ""
    ) -> None:
        self.seen: list[str] = []
        self._texts = {"intent": text, "scene": scenes}
        self._reliability = reliability
        self._domain = domain

    def __call__(self, questions: Sequence[LabelledQuestion], folder: Path) -> None:
        self.seen += [each.example_id for each in questions]
        folder.mkdir(parents=True, exist_ok=True)
        fitted: dict[str, dict[str, float]] = {}
        for task in {each.question.task for each in questions}:
            text, labels = self._texts[task], self._domain.labels[task]
            rules = read_rules(text, task=task, labels=labels, lexicon=self._domain.lexicon).rules
            fitted |= {rule.id: {"reliability": self._reliability} for rule in rules}
            (folder / f"{task}.rules").write_text(text, encoding="utf-8")
        (folder / "fitted.json").write_text(json.dumps(fitted), encoding="utf-8")
