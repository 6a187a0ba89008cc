"""Small talk to mine, and a miner that a reader can recount."""

from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np

from rule_store import Evidence, Rule
from rule_store.mining.table import LabelledEvidence
from tests.rules import has, rule

LABELS = ("track", "refund", "other")
_SIGNALS = {"track": "where", "refund": "back", "other": "hello"}
# Letters alone: evidence folds all digits to one.
_CHATTER = ["".join(letters) for letters in product("bdfgklmnprst", "aeiou", "bdfgklmnprst")][:200]


def said(text: str, *, label: str, example_id: str) -> LabelledEvidence:
    return LabelledEvidence(
        example_id=example_id, evidence=Evidence.of({"last": [text]}), label=label
    )


def small_talk(count: int, *, seed: int = 0, reliable: float = 0.8) -> list[LabelledEvidence]:
    """Dialogues that name a label and add four words of chatter; the name is right so often."""
    generator = np.random.Generator(np.random.PCG64(seed))
    examples = []
    for number in range(count):
        label = LABELS[int(generator.integers(len(LABELS)))]
        named = label if generator.random() < reliable else LABELS[int(generator.integers(3))]
        words = [_SIGNALS[named], *generator.choice(_CHATTER, size=4, replace=False).tolist()]
        examples.append(said(" ".join(words), label=label, example_id=f"s{seed}-{number}"))
    return examples


def mine_words(examples: Sequence[LabelledEvidence]) -> tuple[Rule, ...]:
    """Every word that its label's dialogues hold twice, most of them that hold it: chance included.

    Rules come in the order of their words.
    """
    holds = Counter[str]()
    right = Counter[tuple[str, str]]()
    for each in examples:
        for word in set(each.evidence.texts["last"].split()):
            holds[word] += 1
            right[word, each.label] += 1
    return tuple(
        rule(has(word), label=label)
        for (word, label), hits in sorted(right.items())
        if hits >= 2 and hits > holds[word] / 2
    )
