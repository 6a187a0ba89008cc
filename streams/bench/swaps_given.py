"""What the swap benchmark swaps and meanwhile decides: two releases, and dialogues they answer."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from rule_store import RuleSet, canonical_bytes, fold
from streams.bench.rules_drawn import Drawn, draw_rules
from streams.bench.rules_texts import made_dialogues
from streams.building import RuleSource, build_release
from streams.codec import encode_event
from streams.domain import Domain, load_domain
from streams.events import DialogueEvent, Turn

_TASK = "intent"
_DIALOGUES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Two releases of a domain, no rule of one of which is a rule of the other; texts to decide."""

    domain: Domain
    releases: tuple[bytes, bytes]
    texts: Sequence[str]

    @classmethod
    def of(cls, *, rules: int, seed: int) -> Self:
        domain = load_domain("storefront")
        texts = made_dialogues(_DIALOGUES, seed=seed)
        drawn = draw_rules([fold(text) for text in texts], rules=rules, seed=seed)
        releases = (_release(domain, drawn, 0), _release(domain, drawn, 1))
        return cls(domain=domain, releases=releases, texts=texts)

    def events(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of one dialogue after the other, without end."""
        for number, text in enumerate(itertools.cycle(self.texts)):
            event = DialogueEvent(
                domain=self.domain.name,
                event_id=f"event-{number}",
                dialogue_id=f"dialogue-{number}",
                sent_at_ms=number + 1,
                turns=(Turn(speaker="user", text=text),),
            )
            yield event.dialogue_id.encode(), encode_event(event)


def _release(domain: Domain, drawn: Drawn, turn: int) -> bytes:
    """The drawn rules with the labels of the domain, each release with others."""
    labels = domain.tasks[_TASK].label_names
    rules = tuple(
        replace(rule, label=labels[(number + turn) % len(labels)])
        for number, rule in enumerate(drawn.rule_set.rules)
    )
    sources = {
        task: RuleSource(rule_set=RuleSet(task=task, rules=rules if task == _TASK else ()))
        for task in domain.tasks
    }
    return canonical_bytes(build_release(replace(domain, lexicon=drawn.lexicon), sources))
