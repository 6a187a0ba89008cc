"""Labelled dialogues: who says what in which turn, and what is really meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from deploy.quickstart import phrases, replies
from deploy.quickstart.draws import Draws
from deploy.quickstart.typos import hurried

Split = Literal["train", "live"]
Speaker = Literal["user", "agent"]
Turns = list[tuple[Speaker, str]]

LABEL_WEIGHTS: Final = (
    ("track_order", 18), ("change_order", 11), ("return_refund", 15), ("payment_problem", 13),
    ("product_question", 14), ("promotion", 10), ("complaint", 12), ("other", 7),
)  # fmt: skip
HELD_OUT_SHARE: Final = 0.15
AMBIGUOUS_SHARE: Final = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A drawn screenshot that a dialogue may show.

    intent: what a customer who only points at it wants; None when it does not say.
    """

    name: str
    intent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """One labelled line of the sample."""

    turns: tuple[tuple[Speaker, str], ...]
    images: tuple[str, ...]
    label: str

    @property
    def said(self) -> str:
        """All the customer said, without images and spacing: what no two lines may share."""
        texts = " | ".join(text for speaker, text in self.turns if speaker == "user")
        return " ".join(texts.replace("<image>", " ").casefold().split())


def fill(template: str, draws: Draws) -> str:
    """Fill every slot; a slot named twice is filled with different words."""
    for slot, options in phrases.SLOTS.items():
        for option in draws.order(options)[: template.count(f"{{{slot}}}")]:
            template = template.replace(f"{{{slot}}}", option, 1)
    return template


def phrase(label: str, split: Split, draws: Draws) -> str:
    held_out = split == "live" and draws.chance(HELD_OUT_SHARE)
    pool = (phrases.HELD_OUT if held_out else phrases.SHARED)[label]
    return fill(draws.pick(pool), draws)


def question(split: Split, draws: Draws) -> tuple[str, str]:
    """A label and a text that asks for it."""
    if draws.chance(AMBIGUOUS_SHARE):
        template, labels = draws.pick(phrases.AMBIGUOUS)
        return draws.pick(labels), fill(template, draws)
    label = draws.weighted(LABEL_WEIGHTS)
    return label, phrase(label, split, draws)


def dressed(text: str, draws: Draws) -> str:
    """The question as typed: an opener, a closer, slips."""
    if draws.chance(0.2):
        text = draws.pick(replies.OPENERS) + text
    if draws.chance(0.2):
        text = text + draws.pick(replies.CLOSERS)
    return hurried(text, draws) if draws.chance(0.35) else text


def opening(draws: Draws) -> Turns:
    return [("user", draws.pick(replies.GREETINGS)), ("agent", draws.pick(replies.WELCOMES))]


def follow_up(text: str, draws: Draws) -> Turns:
    """The latest turn says little: an earlier one tells what it is about."""
    if draws.chance(0.3):
        last = draws.pick(replies.NUDGES)
        return [("user", text), ("agent", draws.pick(replies.WAITS)), ("user", last)]
    answer = fill(draws.pick(replies.ANSWERS), draws)
    return [("user", text), ("agent", draws.pick(replies.ASKS)), ("user", answer)]


def change_of_topic(text: str, split: Split, draws: Draws) -> Turns:
    """Something else was asked and answered before."""
    earlier, first = question(split, draws)
    answer = draws.pick(replies.OUTCOMES[earlier])
    return [("user", dressed(first, draws)), ("agent", answer), ("user", text)]


def told(text: str, split: Split, draws: Draws) -> Turns:
    """The turns that lead to and hold the question."""
    kind = draws.weighted((("at once", 58), ("greeted", 18), ("follow up", 14), ("new topic", 10)))
    greeting = opening(draws) if draws.chance(0.2) or kind == "greeted" else []
    if kind == "follow up":
        return greeting + follow_up(text, draws)
    if kind == "new topic":
        return greeting + change_of_topic(text, split, draws)
    return [*greeting, ("user", text)]


def with_outcome(turns: Turns, label: str, draws: Draws) -> Turns:
    """Let the agent answer, which a live tag could not have seen."""
    return [*turns, ("agent", draws.pick(replies.OUTCOMES[label]))]


def spoken(split: Split, draws: Draws) -> Dialogue:
    """A dialogue of words only."""
    label, text = question(split, draws)
    turns = told(dressed(text, draws), split, draws)
    if draws.chance(0.35):
        turns = with_outcome(turns, label, draws)
    return Dialogue(turns=tuple(turns), images=(), label=label)


def pointed(shots: Sequence[Shot], draws: Draws) -> tuple[str, str, Shot]:
    """Words that only point: the label is what the screenshot is about."""
    label = draws.pick(list(dict.fromkeys(shot.intent for shot in shots if shot.intent)))
    text = draws.pick(replies.POINTING)
    if draws.chance(0.6):
        text = f"{text} {fill(draws.pick(('({product})', 'for {number}', '{number}')), draws)}"
    return label, text, draws.pick([shot for shot in shots if shot.intent == label])


def illustrated(split: Split, shots: Sequence[Shot], draws: Draws) -> tuple[str, str, Shot]:
    """Words that say it themselves, with a screenshot that may belong to them."""
    label, text = question(split, draws)
    fitting = [shot for shot in shots if shot.intent in (label, None)]
    return label, draws.pick(replies.SHOWING) + dressed(text, draws), draws.pick(fitting)


def shown(split: Split, shots: Sequence[Shot], draws: Draws) -> Dialogue:
    """A dialogue with a screenshot: half of them say what is wanted only by showing it."""
    make = pointed if draws.chance(0.5) else partial(illustrated, split)
    label, text, shot = make(shots, draws)
    turns: Turns = [*(opening(draws) if draws.chance(0.3) else []), ("user", text)]
    if draws.chance(0.3):
        turns = with_outcome(turns, label, draws)
    return Dialogue(turns=tuple(turns), images=(shot.name,), label=label)


def dialogues(
    split: Split, *, spoken_count: int, shown_count: int, shots: Sequence[Shot], taken: set[str]
) -> list[Dialogue]:
    """Draw the dialogues of one split.

    Args:
        split: only `live` uses the phrases held out.
        spoken_count: dialogues of words only.
        shown_count: dialogues with a screenshot of `shots`, spread among the others.
        shots: the split's screenshots.
        taken: what customers said so far; no two dialogues say the same. Grows.
    """
    made = []
    for index in range(spoken_count + shown_count):
        attempt = 0
        while True:
            draws = Draws(f"{split}/{index}/{attempt}")
            before, after = (
                shown_count * at // (spoken_count + shown_count) for at in (index, index + 1)
            )
            drawn = shown(split, shots, draws) if after > before else spoken(split, draws)
            if drawn.said not in taken:
                break
            attempt += 1
        taken.add(drawn.said)
        made.append(drawn)
    return made
