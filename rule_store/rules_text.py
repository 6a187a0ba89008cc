"""What a `.rules` text says: the rules of one task, and examples that they must meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rule_store.errors import InvalidRule, Place
from rule_store.evidence import Channel, Evidence, Fact, check_channel
from rule_store.lexicon import NAME_CHARS, is_name, is_text
from rule_store.predicates import Reaches
from rule_store.rules import RuleSet

SEGMENT_CHARS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleExample:
    """What the rules must answer when this was read.

    texts: the segments of each channel, unfolded as written. When they are not given, `user` is
        `last`, `reply` and `agent` were read and hold nothing, and of a `screen` that is given
        `screen.lines` are all of it, `screen.top` and `screen.bottom` none; any other channel that
        is absent is unread.
    label: None when no rule may answer.
    facts: when they are not given, `turns` is the number of user texts and `screen.line_count`
        that of the screen's.

    Raises:
        UnknownChannel, UnknownFact: a key that does not exist.
        InvalidRule: an example of nothing; a text, name or number that cannot be.
    """

    texts: Mapping[Channel, tuple[str, ...]]
    label: str | None
    place: Place = field(compare=False)
    facts: Mapping[Fact, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.texts and not self.facts:
            raise InvalidRule('an example needs a text; write: example "…" -> label')
        for channel, segments in self.texts.items():
            check_channel(channel)
            if not all(map(is_text, segments)):
                raise InvalidRule("an example holds a lone surrogate; write real characters")
            if any(len(segment) > SEGMENT_CHARS for segment in segments):
                raise InvalidRule(f"a text has at most {SEGMENT_CHARS} characters; shorten it")
        if self.label is not None and not is_name(self.label):
            raise InvalidRule(f"a label is a text of 1 to {NAME_CHARS} characters; rename it")
        texts = texts_by_default(self.texts) | dict(self.texts)
        # A number that a literal could name, in the form in which it would.
        facts = {each: Reaches(fact=each, value=self.facts[each]).value for each in self.facts}
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "facts", facts_by_default(texts) | facts)

    def evidence(self) -> Evidence:
        """Give the example as rules read it."""
        return Evidence(texts=Evidence.of(self.texts).texts, facts=self.facts)


def texts_by_default(texts: Mapping[Channel, tuple[str, ...]]) -> dict[Channel, tuple[str, ...]]:
    """What an example says of channels that it need not name."""
    implied: dict[Channel, tuple[str, ...]] = {"reply": (), "agent": ()}
    if "last" in texts:
        implied["user"] = texts["last"]
    if "screen" in texts:
        # A screenshot is read as a whole, so whoever knows its text knows its top and bottom.
        implied |= {"screen.lines": texts["screen"], "screen.top": (), "screen.bottom": ()}
    return implied


def facts_by_default(texts: Mapping[Channel, tuple[str, ...]]) -> dict[Fact, float]:
    """What an example says of facts that it need not name."""
    counted = {"turns": "user", "screen.line_count": "screen"}
    return {fact: float(len(texts[of])) for fact, of in counted.items() if of in texts}


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesText:
    """A `.rules` text as read; where things stand decides nothing, so it is not compared.

    places: rule id → where the rule begins.
    """

    rule_set: RuleSet
    examples: tuple[RuleExample, ...]
    places: Mapping[str, Place] = field(compare=False)
