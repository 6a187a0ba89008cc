"""A task that needs both the picture and the text: what is said of a lamp of which colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inference.inputs import ModelInput, Screen, TaskSpec, TrainingExample
from inference.qwen_vl.post_training import post_train
from inference.qwen_vl.post_training_settings import PostTrainingSettings
from inference.qwen_vl.prompt import PromptSettings

COLOURS = {"red": (220, 40, 40), "blue": (40, 40, 220)}
SAID = {"parcel": "where is my parcel", "refund": "i want my money back"}
LAMPS = TaskSpec(
    name="intent", labels=tuple(f"{colour} {said}" for colour in COLOURS for said in SAID)
)
PROMPT = PromptSettings(max_tokens=400, max_images=1, image_units=4)
# On a checkpoint of random weights the adapter must learn everything.
SETTINGS = PostTrainingSettings(
    prompt=PROMPT,
    learning_rate=5e-3,
    epochs=6,
    batch_size=16,
    micro_batch=16,
    gradient_checkpointing=False,
    checkpoint_every_steps=2,
    patience=6,
)


def lamp(number: int) -> TrainingExample:
    """One of the four kinds, a little different each time."""
    random = np.random.default_rng(number)
    colour, said = random.choice(list(COLOURS)), random.choice(list(SAID))
    noise = random.integers(-25, 25, (56, 56, 3))
    pixels = np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)
    screen = Screen(width=56, height=56, lines=(), pixels=pixels)
    texts = {"last": SAID[said], "user": SAID[said], "reply": "", "agent": ""}
    return TrainingExample(
        example_id=f"lamp-{number}",
        input=ModelInput(task="intent", texts=texts, screens=(screen,)),
        label=f"{colour} {said}",
    )


def lamps(count: int) -> list[TrainingExample]:
    return [lamp(number) for number in range(count)]


def train_and_die(base: Path, out: Path, settings: PostTrainingSettings, count: int) -> None:
    """End this process without warning once a step is said to be done."""
    import os
    import signal

    def die(sentence: str) -> None:
        if ": step " in sentence:
            os.kill(os.getpid(), signal.SIGKILL)

    post_train(base, lamps(count), LAMPS, out, settings, die)
