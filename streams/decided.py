"""A decision with what it was made from."""

from collections.abc import Mapping
from dataclasses import dataclass

from rule_store import Evidence
from streams.events import Question, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A tag, and what was known when it was decided.

    probabilities: the model's, by label; None when it was not asked.
    """

    tag: Tag
    question: Question
    evidence: Evidence
    probabilities: Mapping[str, float] | None = None
