"""Everything counted in one question: terms, concepts, overlaps, screen facts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.compact.screens import screen_facts, screen_text
from inference.compact.terms import TEXT_CHARS, fold_text, terms
from inference.inputs import ModelInput, TaskSpec

TEXT_CHANNELS = ("last", "user", "reply")
SCREEN_CHANNELS = ("screen", "screen.top", "screen.bottom")
CHANNELS = (*TEXT_CHANNELS, *SCREEN_CHANNELS)
LINES = "screen.lines"
CONCEPTS = "concepts:"
OVERLAP = "overlap:"
LONGEST = {"last": 1, "user": 1, "reply": 1, "screen": 3, "screen.top": 3, "screen.bottom": 3}
OVERLAP_LONGEST = 2

Counts = Mapping[str, float]
"""Feature → value, of one block of one question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What was written down about a task: phrases by concept, terms by label description."""

    concepts: Mapping[str, tuple[str, ...]]
    descriptions: Mapping[str, str]

    @classmethod
    def of(cls, spec: TaskSpec, concepts: Mapping[str, Sequence[str]]) -> Knowledge:
        """Fold a task's label names, descriptions and concept phrases."""
        folded = {
            name: tuple(f for phrase in phrases if (f := fold_text(phrase)))
            for name, phrases in concepts.items()
        }
        described = {
            label: "\n".join(
                (fold_text(label.replace("_", " ")), fold_text(spec.descriptions.get(label, "")))
            ).strip()
            for label in spec.labels
        }
        return cls(concepts=folded, descriptions=described)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Everything counted in one question, before any vocabulary is known.

    facts: `[FACTS]` numbers of the screens; None when there is none.
    """

    counts: Mapping[str, Counts]
    facts: NDArray[np.float64] | None


class Observer:
    """Counts terms, concepts and overlaps of questions of one task."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._concepts = knowledge.concepts
        self._described = {
            label: frozenset(terms(text, OVERLAP_LONGEST))
            for label, text in knowledge.descriptions.items()
        }

    def observe(self, question: ModelInput) -> Observed:
        """Count what a question holds; texts beyond 4,000 characters are cut."""
        screens = tuple(question.screens)  # each look may decode them
        screen = screen_text(screens)
        texts = {name: question.texts.get(name, "")[:TEXT_CHARS] for name in TEXT_CHANNELS}
        texts |= {"screen": screen.screen, "screen.top": screen.top, "screen.bottom": screen.bottom}
        counts: dict[str, Counts] = {LINES: Counter(line for line in set(screen.lines) if line)}
        for channel, text in texts.items():
            cut = text[:TEXT_CHARS]
            counts[channel] = terms(cut, LONGEST[channel])
            counts[CONCEPTS + channel] = {
                name: 1.0
                for name, phrases in self._concepts.items()
                if any(phrase in cut for phrase in phrases)
            }
        for channel in ("last", "screen"):
            counts[OVERLAP + channel] = self._overlap(texts[channel][:TEXT_CHARS])
        return Observed(counts=counts, facts=screen_facts(screens))

    def _overlap(self, text: str) -> Counts:
        """Label → terms shared with its description, over the root of how many that has."""
        found = frozenset(terms(text, OVERLAP_LONGEST))
        return {
            label: len(found & described) / math.sqrt(len(described))
            for label, described in self._described.items()
            if described and found & described
        }
