"""Examples of a small English shop, and ways to ask."""

from __future__ import annotations

import numpy as np

from inference.inputs import ModelInput, Screen, ScreenLine, TaskSpec, TrainingExample

INTENT = TaskSpec(
    name="intent",
    labels=("track_order", "refund", "complaint"),
    descriptions={
        "track_order": "The customer asks where an order is.",
        "refund": "The customer wants the money back.",
    },
)
SCENE = TaskSpec(name="scene", labels=("payment", "photo", "never_seen"))
CONCEPTS = {"parcel": ("parcel", "package"), "money": ("money", "refund")}
SENTENCES = {
    "track_order": ("where is my {}", "has the {} been shipped", "when does the {} arrive"),
    "refund": ("i want my money back for the {}", "refund the {} please", "please return {} money"),
    "complaint": ("the {} is broken", "this {} is terrible", "what a bad {}"),
}
THINGS = ("order", "parcel", "lamp", "shirt", "kettle", "book")


def said(text: str, task: str = "intent") -> ModelInput:
    return ModelInput(task=task, texts={"last": text, "user": text})


def shown(*lines: str, bright: int = 255) -> ModelInput:
    """A scene question about a screen with these lines, evenly spaced, of one brightness."""
    placed = tuple(
        ScreenLine(text=line, score=0.9, box=(0.1, at / 10, 0.8, at / 10 + 0.05))
        for at, line in enumerate(lines)
    )
    pixels = np.full((64, 32, 3), bright, dtype=np.uint8)
    screen = Screen(width=320, height=640, lines=placed, pixels=pixels)
    return ModelInput(task="scene", texts={}, screens=(screen,))


def intent_examples() -> list[TrainingExample]:
    """3 labels × 3 sentences × 6 things."""
    return [
        TrainingExample(
            example_id=f"{label}-{at}-{thing}", input=said(sentence.format(thing)), label=label
        )
        for label, sentences in SENTENCES.items()
        for at, sentence in enumerate(sentences)
        for thing in THINGS
    ]


def scene_examples() -> list[TrainingExample]:
    """12 payment pages with text, 12 photos without."""
    payments = [
        TrainingExample(
            example_id=f"payment-{n}", input=shown("Pay now", f"Total {n}.00"), label="payment"
        )
        for n in range(12)
    ]
    photos = [
        TrainingExample(example_id=f"photo-{n}", input=shown(bright=60 + n), label="photo")
        for n in range(12)
    ]
    return payments + photos
