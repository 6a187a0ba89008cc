"""Findings: what lint says about rules and lexicon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import get_args

from rule_store.errors import Place

Severity = OneOf["error", "warning"]
ErrorKind = OneOf["contradictory", "conflicting", "unknown_concept", "unknown_label"]
WarningKind = OneOf[
    "never_indexed",
    "shadowed",
    "duplicate",
    "unused_concept",
    "label_without_rule",
    "repeated_phrase",
    "redundant_phrase",
]
_ERRORS = frozenset(get_args(ErrorKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or most likely not meant.

    message: what it is, and what to do about it.
    rule: id of the rule at fault; None for a finding on labels or lexicon.
    place: where it stands, when it was read from a text.
    """

    kind: ErrorKind | WarningKind
    message: str
    rule: str | None = None
    place: Place | None = None

    @property
    def severity(self) -> Severity:
        return "error" if self.kind in _ERRORS else "warning"
