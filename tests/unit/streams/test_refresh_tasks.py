"""A refresh leaves alone what it learned nothing of, or what the gate could not judge."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rule_store import Lexicon, Literal, Mentions, Release, Rule, read_release, read_rules
from rule_store.folds import is_admission
from rule_store.mining.gate import GateSettings
from rule_store.registry import RefreshRow, Registry
from streams.admission import Split
from streams.building import RuleSource, build_release, pack_rules
from streams.errors import InvalidDomain
from streams.labelled import LabelledQuestion
from streams.refresh_run import RefreshJob, run
from streams.refresh_tasks import keep, kept_tasks
from streams.refresh_trail import written_down
from tests.factories import NOW_MS
from tests.refreshes import (
    CHAT,
    OTHER,
    RECEIPT,
    REFUND,
    TRACK,
    TWO_TASKS,
    FakeMiner,
    questions,
    scenes,
)
from tests.release_topics import FakeReleaseTopic

BOTH = RECEIPT + CHAT
ACTIVE = "sha256:" + "1" * 64


def mined(text: str, *, hold_out: str = "admission", bundle: str | None = None) -> Release:
    """Scene rules of reliability 0.9, and no intent rules."""
    rules = read_rules(
        text, task="scene", labels=TWO_TASKS.labels["scene"], lexicon=TWO_TASKS.lexicon
    )
    source = RuleSource(rule_set=rules, fitted={rule.id: 0.9 for rule in rules.rules})
    sources = {**pack_rules(TWO_TASKS), "scene": source}
    built = build_release(TWO_TASKS, sources, settings={"hold_out": hold_out})
    return replace(built, bundle=bundle)


class Refresher:
    """Refreshes both tasks, of one registry."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry = registry
        self.topic = FakeReleaseTopic()
        self.folder = folder

    def refresh(self, miner: FakeMiner, labelled: Sequence[LabelledQuestion]) -> RefreshRow:
        job = RefreshJob(
            domain=TWO_TASKS,
            classifier=None,
            folder=self.folder,
            forget_old=True,
            settings={"hold_out": "admission"},
            gate=GateSettings(),
            change_bundle=False,
            stage=False,
            key=None,
            trust=None,
            new_key=False,
            by="cron",
            at_ms=NOW_MS,
            version="1",
        )
        with written_down(self.registry, job.domain.name, by="cron", now_ms=lambda: NOW_MS) as it:
            return run(self.registry, self.topic, job, labelled=labelled, mine=miner, trail=it)

    def release(self, row: RefreshRow) -> Release:
        return read_release(self.registry.signed(row.release or "").content)


def miner(intents: str, *, reliability: float = 1.0, scenes: str = BOTH) -> FakeMiner:
    return FakeMiner(intents, reliability=reliability, domain=TWO_TASKS, scenes=scenes)


OF_FORTY = sum(is_admission(f"s{number}") for number in range(40))


@pytest.mark.parametrize(
    ("count", "why"),
    [
        (0, "no example to learn from"),
        (40, f"{OF_FORTY} dialogues in the admission split, 10 are asked for"),
    ],
    ids=["no example", "too few of the split"],
)
def test_a_task_that_the_gate_could_not_judge_keeps_what_is_in_force(
    tmp_path: Path, count: int, why: str
) -> None:
    with Registry.open(tmp_path / "registry.db") as registry:
        refresher = Refresher(registry, tmp_path / "work")
        first = refresher.refresh(miner(TRACK + OTHER), [*questions(300), *scenes(300)])
        assert first.outcome == "activated"
        later = miner(TRACK + OTHER + REFUND, scenes=CHAT)
        second = refresher.refresh(later, [*questions(300), *scenes(count)])
        assert second.outcome == "activated"
        before, after = refresher.release(first), refresher.release(second)
    assert len(before.tasks["scene"].rules) == 2
    assert after.tasks["scene"] == before.tasks["scene"]
    assert len(after.tasks["intent"].rules) == 3
    assert not any(name.startswith("s") for name in later.seen), "it is not mined either"
    (said,) = (reason for reason in second.reasons if reason.startswith("scene: "))
    named = (first.release or "")[7:19]
    assert said == f"scene: {why}: rules, reliabilities and weights stay those of release {named}"


def test_with_nothing_in_force_all_that_is_mined_counts(tmp_path: Path) -> None:
    with Registry.open(tmp_path / "registry.db") as registry:
        refresher = Refresher(registry, tmp_path / "work")
        row = refresher.refresh(miner(TRACK + OTHER), [*questions(300), *scenes(40)])
        assert len(refresher.release(row).tasks["scene"].rules) == 2


def test_examples_are_counted_by_dialogue() -> None:
    apart = Split.of([*questions(300), *scenes(300)])
    assert kept_tasks(TWO_TASKS, apart, least=10) == {}
    held = [replace(each, dialogue_id="one") for each in apart.admission if each in scene(apart)]
    others = [each for each in apart.admission if each not in scene(apart)]
    together = Split(learn=apart.learn, admission=(*others, *held))
    assert kept_tasks(TWO_TASKS, together, least=10) == {
        "scene": "1 dialogues in the admission split, 10 are asked for"
    }


def scene(split: Split) -> list[LabelledQuestion]:
    return [each for each in split.admission if each.question.task == "scene"]


def test_where_no_task_could_be_judged_the_gate_says_so() -> None:
    assert kept_tasks(TWO_TASKS, Split.of([*questions(30), *scenes(30)]), least=10) == {}


def test_what_is_kept_of_a_mining_that_held_nothing_out_is_said_of_the_new_release() -> None:
    candidate = build_release(
        TWO_TASKS, pack_rules(TWO_TASKS), settings={"hold_out": "admission", "seed": 1}
    )
    for hold_out in ("none", "admission"):
        kept = keep(candidate, mined(BOTH, hold_out=hold_out), ["scene"])
        assert kept.settings == {"hold_out": hold_out, "seed": 1}
    assert keep(candidate, mined(BOTH, hold_out="none"), ["intent"]).settings == candidate.settings


def test_weights_fitted_with_another_bundle_are_not_kept() -> None:
    one, two = ("sha256:" + digit * 64 for digit in "12")
    old = mined(BOTH, bundle=one)
    fitted = replace(old.tasks["scene"], vote_weight=0.7, defaults=False)
    old = replace(old, tasks={**old.tasks, "scene": fitted})
    candidate = build_release(TWO_TASKS, pack_rules(TWO_TASKS))
    same = keep(replace(candidate, bundle=one), old, ["scene"])
    assert same.tasks["scene"] == fitted
    other = keep(replace(candidate, bundle=two), old, ["scene"]).tasks["scene"]
    assert (other.rules, other.reliability) == (fitted.rules, fitted.reliability)
    assert (other.vote_weight, other.defaults) == (candidate.tasks["scene"].vote_weight, True)


def test_rules_that_do_not_fit_the_pack_any_more_are_an_error_with_its_cure() -> None:
    voucher = Rule(
        task="scene",
        body=(Literal(predicate=Mentions(channel="screen", concept="voucher")),),
        label="receipt",
    )
    domain = replace(TWO_TASKS, lexicon=Lexicon.of({"voucher": ["coupon"]}))
    old = build_release(domain, pack_rules(domain))
    task = mined(BOTH).tasks["scene"]
    task = replace(
        task,
        rules=(voucher,),
        reliability={voucher.id: next(iter(task.reliability.values()))},
    )
    old = replace(old, tasks={**old.tasks, "scene": task})
    with pytest.raises(InvalidDomain, match=r'^scene: .*lacks "voucher".*label more'):
        keep(build_release(TWO_TASKS, pack_rules(TWO_TASKS)), old, ["scene"])
