"""Questions whose mined rules a reader can recount, and what was mined from them."""

from collections.abc import Sequence
from dataclasses import replace

from inference.inputs import ModelInput
from rule_store import Evidence, Lexicon, Rule
from rule_store.evidence import CHANNELS, FACTS
from rule_store.mining.held_out import HeldOutSettings
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.table import LabelledEvidence
from rule_store.mining.unlabelled import UnlabelledEvidence
from streams.domain import Domain
from streams.events import Question
from streams.labelled import LabelledQuestion
from streams.rule_mining import MinedTask, MiningSettings, examples_by_task, mine_tasks
from tests import factories as make

LABELS = ("track", "refund", "other")
SIGNALS = {"track": "where", "refund": "money", "other": "hello"}
# No concept, so that the words of the descriptions give no rule.
DOMAIN = replace(
    make.domain(labels={"intent": LABELS}, rules={"intent": ""}), lexicon=Lexicon(concepts={})
)
FAST = MiningSettings(miner=MinerSettings(iterations=4), held_out=HeldOutSettings(folds=2))


def read(text: str) -> Evidence:
    """Everything was looked at, and only the customer's last words are there."""
    evidence = Evidence.of({**dict.fromkeys(CHANNELS, ()), "last": [text]})
    return replace(evidence, facts=dict.fromkeys(FACTS, 0.0))


def example(example_id: str, label: str, text: str) -> LabelledEvidence:
    return LabelledEvidence(example_id=example_id, evidence=read(text), label=label)


def examples(each: int = 6) -> list[LabelledEvidence]:
    """So many of each label in turn, `d0` and so on; each says its label's word and no other."""
    return [
        example(f"d{number}", label, SIGNALS[label]) for number, label in enumerate(LABELS * each)
    ]


def questions(given: Sequence[LabelledEvidence]) -> list[LabelledQuestion]:
    return [
        LabelledQuestion(
            example_id=each.example_id,
            dialogue_id=each.dialogue_id,
            question=Question(task="intent"),
            label=each.label,
            evidence=each.evidence,
            input=ModelInput(task="intent", texts={"last": each.evidence.texts["last"]}),
        )
        for each in given
    ]


def unlabelled(*texts: str) -> tuple[UnlabelledEvidence, ...]:
    """What customers said, `u0` and so on; nobody said what they want."""
    return tuple(
        UnlabelledEvidence(example_id=f"u{place}", evidence=read(text))
        for place, text in enumerate(texts)
    )


def mined_task(
    given: Sequence[LabelledEvidence] = (),
    *,
    domain: Domain = DOMAIN,
    written: Sequence[Rule] = (),
    others: Sequence[UnlabelledEvidence] = (),
) -> MinedTask:
    """Mine a few examples; 36 of them if none are given."""
    if written:
        rule_set = replace(domain.rule_sets["intent"], rules=tuple(written))
        domain = replace(domain, rule_sets={"intent": rule_set})
    (asked,) = examples_by_task(questions(given or examples(12)), domain)
    (mined,) = mine_tasks([replace(asked, unlabelled=tuple(others))], domain, FAST)
    return mined
