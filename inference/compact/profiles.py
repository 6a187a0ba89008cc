"""How much each kind of feature weighs: a few profiles, of which held-out examples choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from inference.compact.features import FACT_BLOCK
from inference.compact.observed import CONCEPTS, LINES, OVERLAP, Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Block weights and regularisation of a linear model.

    reads: channels without which the profile has nothing to go by.
    strength: inverse of the L2 regularisation.
    informed: whether terms weigh by what they say about the label; with some ten examples a
        label, as for intents, that is noise.
    taught_by: where the label descriptions are learnt from, as said or as shown.
    """

    name: str
    reads: tuple[str, ...]
    weights: Mapping[str, float]
    strength: float
    informed: bool = False
    taught_by: Literal["text", "screen"] = "text"


TEXT_WEIGHTS: Mapping[str, float] = {
    "last": 1.0,
    "user": 0.4,
    "reply": 0.5,
    CONCEPTS + "last": 0.6,
    CONCEPTS + "user": 0.4,
    CONCEPTS + "reply": 0.3,
    OVERLAP + "last": 0.1,
}
SCREEN_WEIGHTS: Mapping[str, float] = {
    "screen": 1.0,
    "screen.top": 0.5,
    "screen.bottom": 0.5,
    LINES: 0.5,
    CONCEPTS + "screen": 0.4,
    CONCEPTS + "screen.top": 0.3,
    FACT_BLOCK: 0.7,
}
BESIDE = 0.3  # a screen beside a text is a hint: what it says is seldom what is asked

PROFILES: tuple[Profile, ...] = (
    Profile(name="text", reads=("last", "user", "reply"), weights=TEXT_WEIGHTS, strength=1.0),
    Profile(
        name="screen",
        reads=("screen", FACT_BLOCK),
        weights=SCREEN_WEIGHTS,
        strength=3.0,
        informed=True,
        taught_by="screen",
    ),
    Profile(
        name="both",
        reads=("last", "screen"),
        weights={
            **TEXT_WEIGHTS,
            "screen": BESIDE,
            CONCEPTS + "screen": BESIDE / 2,
        },
        strength=1.0,
    ),
)


def applicable(profiles: Sequence[Profile], observed: Sequence[Observed]) -> tuple[Profile, ...]:
    """The profiles that some example has something to read for; the first when none has.

    `both` needs text and screen; the others any of their channels.
    """
    present = {name for each in observed for name, counts in each.counts.items() if counts}
    if any(each.facts is not None for each in observed):
        present.add(FACT_BLOCK)
    fitting = tuple(
        profile
        for profile in profiles
        if (all if profile.name == "both" else any)(name in present for name in profile.reads)
    )
    return fitting or tuple(profiles[:1])
