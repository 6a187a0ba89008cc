"""How an explanation looks: lines with every found place highlighted, or JSON fields."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from rule_store import (
    Answered,
    Channel,
    Evidence,
    ExplainedLiteral,
    ExplainedRule,
    Explanation,
    Mentions,
    Place,
    Predicate,
    Reaches,
    Span,
    Truth,
    Verdict,
    print_literal,
)
from streams.cli.terminal import printable

RULES_SHOWN = 10
_JSON_RULES = 100
# Of the text around each place; and places of one literal, in a text that repeats it endlessly.
_CONTEXT_CHARS = 30
_PLACES = 10
_EXCERPT_CHARS = 160
_FOUND = "black on yellow"
_SIGNS: Mapping[Truth, tuple[str, str]] = {
    True: ("✓", "green"),
    False: ("✗", "red"),
    None: ("?", "yellow"),
}


def verdict_words(verdict: Verdict) -> str:
    if isinstance(verdict, Answered):
        return f"{printable(verdict.label)} ({verdict.reliability:.2f})"
    return f"no answer ({verdict.reason})"


def explanation_lines(
    explanation: Explanation, evidence: Evidence, *, places: Mapping[str, Place], marks: bool
) -> Iterator[Text]:
    """Rules that fired, then those that nearly did, literal by literal.

    Args:
        explanation: what to show; `RULES_SHOWN` of each kind at most.
        evidence: that it explains.
        places: rule id → where it stands, as far as its text is at hand.
        marks: «mark» what is found, for where colours do not show.
    """
    for word, rules in (("fired", explanation.fired), ("nearly", explanation.nearly)):
        for rule in rules[:RULES_SHOWN]:
            yield _rule_line(word, rule, places.get(rule.rule.id))
            for literal in rule.literals:
                yield _literal_line(literal, evidence, marks=marks)
        if len(rules) > RULES_SHOWN:
            yield Text(f"  {word}: {len(rules) - RULES_SHOWN} more rules")
    if not explanation.fired and not explanation.nearly:
        yield from _said(evidence)
    if explanation.undecided:
        yield Text(f"  undecided: {len(explanation.undecided)} more rules, by unread channels")


def _said(evidence: Evidence) -> Iterator[Text]:
    """What was there to be found, when no rule found it."""
    for channel in ("last", "screen"):
        if text := evidence.texts.get(channel):
            cut = "…" if len(text) > _EXCERPT_CHARS else ""
            yield Text(f"    {channel}: {_safe(text[:_EXCERPT_CHARS])}{cut}", style="dim")


def _rule_line(word: str, explained: ExplainedRule, place: Place | None) -> Text:
    rule = explained.rule
    line = Text("  ")
    line.append(word, style="green" if explained.held else "yellow")
    line.append(f" {rule.id} then {printable(rule.label)}", style="bold")
    if place is not None:
        line.append(f"  {file_and_line(place)}", style="dim")
    if rule.note:
        line.append(f"  {printable(rule.note)}", style="italic")
    return line


def file_and_line(place: Place) -> str:
    """Where a rule stands, short enough for a table."""
    return f"{printable(Path(place.origin).name)}:{place.line}"


def _literal_line(explained: ExplainedLiteral, evidence: Evidence, *, marks: bool) -> Text:
    sign, style = _SIGNS[explained.held]
    line = Text("    ")
    line.append(sign, style=style)
    line.append(f" {printable(print_literal(explained.literal))}  ")
    predicate = explained.literal.predicate
    if isinstance(predicate, Reaches):
        value = "unread" if explained.value is None else f"is {explained.value:g}"
        return line.append(f"{predicate.fact} {value}", style="dim")
    text = evidence.texts.get(predicate.channel)
    if text is None:
        return line.append(f"{predicate.channel} is unread", style="dim")
    line.append(_how_many(predicate, text, explained.spans), style="dim")
    return line.append_text(highlighted(text, explained.spans, marks=marks))


def _how_many(predicate: Predicate, text: str, spans: Sequence[Span]) -> str:
    """What a count came to; otherwise only that nothing was found."""
    if isinstance(predicate, Mentions) and predicate.at_least > 1:
        return f"{len({text[span.start : span.end] for span in spans})} different  "
    return "" if spans else "not found"


def highlighted(text: str, spans: Sequence[Span], *, marks: bool) -> Text:
    r"""A channel's text around its found places; what a terminal would obey is replaced.

    >>> text = "1\x1b[2J where is\n[red]it[/red]"
    >>> highlighted(text, [Span(start=6, end=11)], marks=True).plain
    '1\ufffd[2J «where» is ↵ [red]it[/red]'
    """
    line = Text()
    shown = _joined(spans)[:_PLACES]
    end = 0
    for span in shown:
        start = max(end, span.start - _CONTEXT_CHARS)
        line.append("…" if start > end else "")
        line.append(_safe(text[start : span.start]))
        found = _safe(text[span.start : span.end])
        line.append(f"«{found}»" if marks else found, style=_FOUND)
        following = (each.start for each in shown if each.start >= span.end)
        end = min(span.end + _CONTEXT_CHARS, next(following, len(text)))
        line.append(_safe(text[span.end : end]))
    line.append("…" if shown and end < len(text) else "")
    if len(spans) > _PLACES:
        line.append(f" ({len(spans)} places)", style="dim")
    return line


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The spans in order, those that overlap as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start < joined[-1].end:
            last = joined.pop()
            span = Span(start=last.start, end=max(last.end, span.end))
        joined.append(span)
    return joined


def _safe(text: str) -> str:
    return " ↵ ".join(map(printable, text.split("\n")))


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    if isinstance(verdict, Answered):
        return {"label": verdict.label, "reliability": verdict.reliability, "reason": None}
    return {"label": None, "reliability": None, "reason": verdict.reason}


def explanation_fields(explanation: Explanation) -> dict[str, Any]:
    """The first `_JSON_RULES` of each kind, and how many there are."""
    kinds = {
        "fired": explanation.fired,
        "nearly": explanation.nearly,
        "undecided": explanation.undecided,
    }
    return {
        name: [_rule_fields(rule) for rule in rules[:_JSON_RULES]] for name, rules in kinds.items()
    } | {"counts": {name: len(rules) for name, rules in kinds.items()}}


def _rule_fields(explained: ExplainedRule) -> dict[str, Any]:
    return {
        "id": explained.rule.id,
        "label": explained.rule.label,
        "note": explained.rule.note,
        "literals": [_literal_fields(literal) for literal in explained.literals],
    }


def _literal_fields(explained: ExplainedLiteral) -> dict[str, Any]:
    predicate = explained.literal.predicate
    channel: Channel | None = None if isinstance(predicate, Reaches) else predicate.channel
    return {
        "literal": print_literal(explained.literal),
        "held": explained.held,
        "channel": channel,
        "spans": [[span.start, span.end] for span in explained.spans],
        "value": explained.value,
    }
