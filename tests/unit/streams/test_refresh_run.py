"""A refresh over a registry and a topic in memory: what is put in force, and what stays."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import read_release, signed_from_bytes
from rule_store.folds import is_admission
from rule_store.mining.gate import GateSettings
from rule_store.registry import RefreshRow, Registry
from rule_store.registry_errors import RegistryConflict
from streams.activating import Wanted, activate_release
from streams.errors import NotPublished
from streams.labelled import LabelledQuestion
from streams.refresh_run import Mine, RefreshJob, candidate_file, run
from tests.factories import NOW_MS
from tests.refreshes import DOMAIN, REFUND, TRACK, FakeMiner, question, questions
from tests.release_topics import FakeReleaseTopic

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "registry.db") as registry:
        yield registry


class Refresher:
    """Runs refreshes of one registry, and writes each down as the command does."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry = registry
        self.topic = FakeReleaseTopic()
        self.folder = folder

    def job(self, **fields: Any) -> RefreshJob:
        given: dict[str, Any] = {
            "domain": DOMAIN,
            "classifier": None,
            "folder": self.folder,
            "settings": {"seed": 0},
            "gate": GateSettings(),
            "stage": False,
            "key": KEY,
            "trust": None,
            "new_key": False,
            "by": "cron",
            "at_ms": NOW_MS,
            "version": "1",
        }
        return RefreshJob(**given | fields)

    def refresh(
        self, mine: Mine, labelled: Sequence[LabelledQuestion] | None = None, **fields: Any
    ) -> RefreshRow:
        job = self.job(**fields)
        given = questions(300) if labelled is None else labelled
        row = run(self.registry, self.topic, job, labelled=given, mine=mine)
        self.registry.note_refresh(row, by=job.by, at_ms=job.at_ms)
        return row

    @property
    def in_force(self) -> str | None:
        active = self.registry.active(DOMAIN.name, DOMAIN.labels_digest)
        return None if active is None else active.digest


@pytest.fixture
def refresher(registry: Registry, tmp_path: Path) -> Refresher:
    return Refresher(registry, tmp_path / "work")


def test_the_first_release_is_mined_without_the_admission_split_and_put_in_force(
    refresher: Refresher,
) -> None:
    miner = FakeMiner(TRACK)
    row = refresher.refresh(miner)
    assert (row.outcome, row.release, row.active) == ("activated", refresher.in_force, None)
    assert not any(map(is_admission, miner.seen))
    assert len(miner.seen) == sum(not is_admission(f"d{number}") for number in range(300))
    assert [key.partition("/")[0] for key, _ in refresher.topic.records] == ["release", "active"]
    assert all(reason.startswith("passed: ") for reason in row.reasons)


def test_a_release_says_what_it_was_made_from(refresher: Refresher, registry: Registry) -> None:
    row = refresher.refresh(FakeMiner(TRACK))
    release = read_release(registry.signed(row.release or "").content)
    assert release.settings == {"seed": 0}
    assert release.examples_digest is not None
    assert [known.fitted for known in release.tasks["intent"].reliability.values()] == [True]
    assert registry.release(row.release or "").signed_by != ()


def test_a_better_candidate_takes_the_place_of_the_active_one(
    refresher: Refresher, registry: Registry
) -> None:
    first = refresher.refresh(FakeMiner(TRACK))
    second = refresher.refresh(FakeMiner(TRACK + REFUND), questions(303))
    assert second.outcome == "activated"
    assert second.active == first.release
    assert refresher.in_force == second.release != first.release
    assert registry.release(second.release or "").parent == first.release


def test_a_worse_candidate_is_refused_and_the_active_one_stays(
    refresher: Refresher, registry: Registry
) -> None:
    first = refresher.refresh(FakeMiner(TRACK + REFUND))
    sent = list(refresher.topic.records)
    row = refresher.refresh(FakeMiner(TRACK), questions(303))
    assert row.outcome == "refused"
    assert row.reasons[0].startswith("FAILED: intent, all labels: weighted F1 0.")
    assert refresher.in_force == first.release
    assert refresher.topic.records == sent
    assert [each.digest for each in registry.releases()] == [first.release]
    newest = registry.audit()[0]
    assert (newest.what, newest.subject, newest.by) == ("refreshed", DOMAIN.name, "cron")
    assert newest.details["outcome"] == "refused"
    assert newest.details["reasons"] == [reason[:250] for reason in row.reasons]


def test_a_refused_candidate_can_be_looked_at(refresher: Refresher) -> None:
    refresher.refresh(FakeMiner(TRACK + REFUND))
    row = refresher.refresh(FakeMiner(TRACK), questions(303))
    kept = candidate_file(refresher.folder, row.inputs)
    release = read_release(signed_from_bytes(kept.read_bytes()).content)
    assert len(release.tasks["intent"].rules) == 1


def test_what_was_refused_is_refused_again_without_mining(refresher: Refresher) -> None:
    refresher.refresh(FakeMiner(TRACK + REFUND))
    refused = refresher.refresh(FakeMiner(TRACK), questions(303))
    miner = FakeMiner(TRACK)
    again = refresher.refresh(miner, questions(303))
    assert (again.outcome, again.release) == ("refused", refused.release)
    assert again.reasons[0].startswith("FAILED: ")
    assert miner.seen == []


@pytest.mark.parametrize("order", [1, -1], ids=["same order", "other order"])
def test_with_the_same_examples_there_is_nothing_to_do(
    refresher: Refresher, registry: Registry, order: int
) -> None:
    first = refresher.refresh(FakeMiner(TRACK))
    miner = FakeMiner(TRACK)
    again = refresher.refresh(miner, questions(300)[::order])
    assert (again.outcome, again.release) == ("unchanged", first.release)
    assert miner.seen == []
    assert len(registry.history(DOMAIN.name)) == 1


def test_other_examples_that_teach_the_same_change_nothing_but_the_digest_of_the_examples(
    refresher: Refresher,
) -> None:
    """One more example of the admission split teaches nothing: the candidate is the same."""
    (held, *_) = (f"e{number}" for number in range(99) if is_admission(f"e{number}"))
    first = refresher.refresh(FakeMiner(TRACK))
    miner = FakeMiner(TRACK)
    again = refresher.refresh(miner, [*questions(300), question(held, "track")])
    assert miner.seen != []
    assert (again.outcome, again.release) == ("unchanged", first.release)


@pytest.mark.parametrize(
    "change",
    [{"settings": {"seed": 1}}, {"version": "2"}, {"gate": GateSettings(margin=0.1)}],
    ids=["settings", "version", "gate"],
)
def test_other_settings_or_another_version_mine_again(
    refresher: Refresher, change: dict[str, Any]
) -> None:
    refresher.refresh(FakeMiner(TRACK))
    miner = FakeMiner(TRACK)
    refresher.refresh(miner, **change)
    assert miner.seen != []


def test_a_staged_candidate_waits_in_the_registry(refresher: Refresher, registry: Registry) -> None:
    staged = refresher.refresh(FakeMiner(TRACK), stage=True, key=None)
    assert (staged.outcome, refresher.in_force) == ("staged", None)
    assert refresher.topic.records == []
    assert [each.digest for each in registry.releases()] == [staged.release]
    assert refresher.refresh(FakeMiner(TRACK), stage=True).outcome == "unchanged"


def test_what_was_staged_is_activated_by_a_run_that_does_not_stop_before(
    refresher: Refresher,
) -> None:
    staged = refresher.refresh(FakeMiner(TRACK), stage=True)
    row = refresher.refresh(FakeMiner(TRACK))
    assert (row.outcome, row.release) == ("activated", staged.release)
    assert refresher.in_force == staged.release


def test_what_somebody_has_rolled_back_is_not_put_in_force_again(refresher: Refresher) -> None:
    first = refresher.refresh(FakeMiner(TRACK))
    refresher.refresh(FakeMiner(TRACK + REFUND), questions(303))
    back = Wanted(release=first.release or "", key=KEY, by="ann", at_ms=NOW_MS)
    asyncio.run(activate_release(refresher.registry, refresher.topic, back))
    miner = FakeMiner(TRACK + REFUND)
    for _ in range(2):
        row = refresher.refresh(miner, questions(303))
        assert row.outcome == "unchanged"
        assert "somebody has put another in its place" in row.reasons[0]
    assert miner.seen == []
    assert refresher.in_force == first.release


def test_who_activates_while_it_mines_goes_first(refresher: Refresher) -> None:
    first = refresher.refresh(FakeMiner(TRACK))

    def mine(labelled: Sequence[LabelledQuestion], folder: Path) -> None:
        FakeMiner(TRACK + REFUND)(labelled, folder)
        wanted = Wanted(release=first.release or "", key=KEY, by="ann", at_ms=NOW_MS)
        asyncio.run(activate_release(refresher.registry, refresher.topic, wanted))

    with pytest.raises(RegistryConflict, match="ann has activated"):
        refresher.refresh(mine, questions(303))
    assert refresher.in_force == first.release


def test_what_could_not_be_published_is_published_by_the_next_run(refresher: Refresher) -> None:
    refresher.topic.fails = RuntimeError("no route")
    with pytest.raises(NotPublished):
        refresher.refresh(FakeMiner(TRACK))
    refresher.topic.fails = None
    row = refresher.refresh(FakeMiner(TRACK))
    assert (row.outcome, row.release) == ("unchanged", refresher.in_force)
    assert [key.partition("/")[0] for key, _ in refresher.topic.records] == ["release", "active"]


def test_a_run_that_failed_is_tried_again(refresher: Refresher, registry: Registry) -> None:
    failed = RefreshRow(
        domain=DOMAIN.name,
        outcome="failed",
        inputs=refresher.job().inputs(sorted(questions(300), key=lambda each: each.example_id)),
    )
    registry.note_refresh(failed, by="cron", at_ms=NOW_MS)
    assert refresher.refresh(FakeMiner(TRACK)).outcome == "activated"
