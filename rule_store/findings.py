"""Findings: what lint says about rules and lexicon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import get_args

from rule_store.errors import Place

Severity = OneOf["error", "warning", "note"]
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
NoteKind = OneOf["led_by_facts", "led_by_screen"]
_SEVERITIES: dict[str, Severity] = {
    **dict.fromkeys(get_args(ErrorKind), "error"),
    **dict.fromkeys(get_args(WarningKind), "warning"),
    **dict.fromkeys(get_args(NoteKind), "note"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, most likely not meant, or (a note) meant and costly.

    message: what it is, and what to do about it.
    rule: id of the rule at fault; None for a finding on labels or lexicon.
    place: where it stands, when it was read from a text.
    """

    kind: ErrorKind | WarningKind | NoteKind
    message: str
    rule: str | None = None
    place: Place | None = None

    @property
    def severity(self) -> Severity:
        return _SEVERITIES[self.kind]
