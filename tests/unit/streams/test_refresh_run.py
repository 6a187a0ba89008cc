"""A refresh over a registry and a topic in memory: what is put in force, and what stays."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import (
    Activation,
    TrustStore,
    activation_to_bytes,
    canonical_bytes,
    key_id,
    read_release,
    sign,
    signed_from_bytes,
    signed_to_bytes,
    topic_key,
)
from rule_store.folds import is_admission
from rule_store.mining.gate import GateSettings
from rule_store.registry import RefreshRow, Registry
from rule_store.registry_errors import RegistryConflict
from streams.activating import Wanted, activate_release
from streams.building import build_release, pack_rules
from streams.errors import BrokerUnreachable, InvalidSettings, NotPublished, ReleaseRefused
from streams.labelled import LabelledQuestion
from streams.published import Published
from streams.refresh_folder import KEPT, candidate_file
from streams.refresh_run import Mine, RefreshJob, run
from streams.refresh_trail import RefreshTrail, written_down
from tests.factories import NOW_MS
from tests.refreshes import DOMAIN, OTHER, REFUND, TRACK, FakeMiner, question, questions
from tests.release_topics import FakeReleaseTopic

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
SETTINGS = {"seed": 0, "hold_out": "admission"}
# Two of three labels: clearly better than guessing.
SOME = TRACK + OTHER
# Right wherever it fires, and so no worse: what a wrong example may teach unnoticed.
IT = 'when last has "it" then track\n'


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
            "forget_old": True,
            "settings": SETTINGS,
            "gate": GateSettings(),
            "change_bundle": False,
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
        with written_down(self.registry, DOMAIN.name, by=job.by, now_ms=lambda: job.at_ms) as trail:
            return run(self.registry, self.topic, job, labelled=given, mine=mine, trail=trail)

    def killed(self, mine: Mine, labelled: Sequence[LabelledQuestion]) -> None:
        """Run, and write nothing down when it is over."""
        trail = RefreshTrail(
            DOMAIN.name, lambda row: self.registry.note_refresh(row, by="cron", at_ms=NOW_MS)
        )
        run(self.registry, self.topic, self.job(), labelled=labelled, mine=mine, trail=trail)

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
    miner = FakeMiner(SOME)
    row = refresher.refresh(miner)
    assert (row.outcome, row.release, row.active) == ("activated", refresher.in_force, None)
    assert not any(map(is_admission, miner.seen))
    assert len(miner.seen) == sum(not is_admission(f"d{number}") for number in range(300))
    assert [key.partition("/")[0] for key, _ in refresher.topic.records] == ["release", "active"]
    assert all(reason.startswith("passed: ") for reason in row.reasons)


def test_a_release_says_what_it_was_made_from(refresher: Refresher, registry: Registry) -> None:
    row = refresher.refresh(FakeMiner(SOME))
    release = read_release(registry.signed(row.release or "").content)
    assert release.settings == SETTINGS
    assert release.examples_digest is not None
    assert [known.fitted for known in release.tasks["intent"].reliability.values()] == [True, True]
    assert registry.release(row.release or "").signed_by != ()


def test_a_better_candidate_takes_the_place_of_the_active_one(
    refresher: Refresher, registry: Registry
) -> None:
    first = refresher.refresh(FakeMiner(SOME))
    second = refresher.refresh(FakeMiner(SOME + REFUND), questions(303))
    assert second.outcome == "activated"
    assert second.active == first.release
    assert refresher.in_force == second.release != first.release
    assert registry.release(second.release or "").parent == first.release


def test_a_worse_candidate_is_refused_and_the_active_one_stays(
    refresher: Refresher, registry: Registry
) -> None:
    first = refresher.refresh(FakeMiner(SOME + REFUND))
    sent = list(refresher.topic.records)
    row = refresher.refresh(FakeMiner(SOME), questions(303))
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
    refresher.refresh(FakeMiner(SOME + REFUND))
    row = refresher.refresh(FakeMiner(SOME), questions(303))
    kept = candidate_file(refresher.folder, row.inputs)
    signed = signed_from_bytes(kept.read_bytes())
    assert signed.signatures == (), "nobody has let it pass"
    release = read_release(signed.content)
    assert len(release.tasks["intent"].rules) == 2


def test_with_too_few_examples_for_the_gate_nothing_is_mined(refresher: Refresher) -> None:
    """Of thirty dialogues three are of the split, and nobody could judge by them."""
    first, miner = refresher.refresh(FakeMiner(SOME)), FakeMiner(SOME + REFUND)
    held = sum(is_admission(f"d{number}") for number in range(30))
    for _ in range(2):
        row = refresher.refresh(miner, questions(30))
        assert (row.outcome, row.release, row.active) == ("refused", None, first.release)
        assert row.reasons == (
            f"FAILED: examples: {held} dialogues in the admission split, 20 are asked for: label "
            "more",
            "nothing was mined: the gate could not judge it",
        )
    assert (miner.seen, refresher.in_force) == ([], first.release)


def test_what_was_refused_is_refused_again_without_mining(refresher: Refresher) -> None:
    refresher.refresh(FakeMiner(SOME + REFUND))
    refused = refresher.refresh(FakeMiner(SOME), questions(303))
    miner = FakeMiner(SOME)
    again = refresher.refresh(miner, questions(303))
    assert (again.outcome, again.release) == ("refused", refused.release)
    assert again.reasons[0].startswith("FAILED: ")
    assert miner.seen == []


@pytest.mark.parametrize("order", [1, -1], ids=["same order", "other order"])
def test_with_the_same_examples_there_is_nothing_to_do(
    refresher: Refresher, registry: Registry, order: int
) -> None:
    first = refresher.refresh(FakeMiner(SOME))
    miner = FakeMiner(SOME)
    again = refresher.refresh(miner, questions(300)[::order])
    assert (again.outcome, again.release) == ("unchanged", first.release)
    assert miner.seen == []
    assert len(registry.history(DOMAIN.name)) == 1


def test_other_examples_that_teach_the_same_change_nothing_but_the_digest_of_the_examples(
    refresher: Refresher,
) -> None:
    """One more example of the admission split teaches nothing: the candidate is the same."""
    (held, *_) = (f"e{number}" for number in range(99) if is_admission(f"e{number}"))
    first = refresher.refresh(FakeMiner(SOME))
    miner = FakeMiner(SOME)
    again = refresher.refresh(miner, [*questions(300), question(held, "track")])
    assert miner.seen != []
    assert (again.outcome, again.release) == ("unchanged", first.release)


@pytest.mark.parametrize(
    "change",
    [{"settings": SETTINGS | {"seed": 1}}, {"version": "2"}, {"gate": GateSettings(margin=0.1)}],
    ids=["settings", "version", "gate"],
)
def test_other_settings_or_another_version_mine_again(
    refresher: Refresher, change: dict[str, Any]
) -> None:
    refresher.refresh(FakeMiner(SOME))
    miner = FakeMiner(SOME)
    refresher.refresh(miner, **change)
    assert miner.seen != []


def test_a_staged_candidate_waits_in_the_registry(refresher: Refresher, registry: Registry) -> None:
    staged = refresher.refresh(FakeMiner(SOME), stage=True, key=None)
    assert (staged.outcome, refresher.in_force) == ("staged", None)
    assert refresher.topic.records == []
    assert [each.digest for each in registry.releases()] == [staged.release]
    assert refresher.refresh(FakeMiner(SOME), stage=True).outcome == "unchanged"


def test_what_was_staged_is_activated_by_a_run_that_does_not_stop_before(
    refresher: Refresher,
) -> None:
    staged = refresher.refresh(FakeMiner(SOME), stage=True)
    row = refresher.refresh(FakeMiner(SOME))
    assert (row.outcome, row.release) == ("activated", staged.release)
    assert refresher.in_force == staged.release


def test_staged_again_and_again_it_is_still_activated_when_that_is_asked(
    refresher: Refresher,
) -> None:
    staged = refresher.refresh(FakeMiner(SOME), stage=True)
    again = FakeMiner(SOME)
    for _ in range(2):
        assert refresher.refresh(again, stage=True).outcome == "unchanged"
    assert again.seen == []
    row = refresher.refresh(FakeMiner(SOME))
    assert (row.outcome, row.release) == ("activated", staged.release)


def activate_by_hand(refresher: Refresher, release: str | None) -> None:
    wanted = Wanted(release=release or "", key=KEY, by="ann", at_ms=NOW_MS)
    asyncio.run(activate_release(refresher.registry, refresher.topic, wanted))


def test_what_was_staged_and_somebody_has_tried_and_rolled_back_stays_out(
    refresher: Refresher,
) -> None:
    first = refresher.refresh(FakeMiner(SOME))
    staged = refresher.refresh(FakeMiner(SOME + REFUND), questions(303), stage=True)
    activate_by_hand(refresher, staged.release)
    activate_by_hand(refresher, first.release)
    row = refresher.refresh(FakeMiner(SOME + REFUND), questions(303))
    assert row.outcome == "unchanged"
    assert refresher.in_force == first.release


def test_what_somebody_has_rolled_back_stays_out_although_a_refresh_came_between(
    refresher: Refresher,
) -> None:
    first = refresher.refresh(FakeMiner(SOME))
    refresher.refresh(FakeMiner(SOME + REFUND), questions(303))
    activate_by_hand(refresher, first.release)
    between = refresher.refresh(FakeMiner(SOME + REFUND + IT), questions(306))
    assert between.outcome == "activated"
    row = refresher.refresh(FakeMiner(SOME + REFUND), questions(303))
    assert row.outcome == "unchanged"
    assert "somebody has put another in its place" in row.reasons[0]
    assert refresher.in_force == between.release


def test_what_somebody_has_rolled_back_is_not_put_in_force_again(refresher: Refresher) -> None:
    first = refresher.refresh(FakeMiner(SOME))
    refresher.refresh(FakeMiner(SOME + REFUND), questions(303))
    activate_by_hand(refresher, first.release)
    miner = FakeMiner(SOME + REFUND)
    for _ in range(2):
        row = refresher.refresh(miner, questions(303))
        assert row.outcome == "unchanged"
        assert "somebody has put another in its place" in row.reasons[0]
    assert miner.seen == []
    assert refresher.in_force == first.release


def test_who_activates_while_it_mines_goes_first(refresher: Refresher) -> None:
    first = refresher.refresh(FakeMiner(SOME))

    def mine(labelled: Sequence[LabelledQuestion], folder: Path) -> None:
        FakeMiner(SOME + REFUND)(labelled, folder)
        wanted = Wanted(release=first.release or "", key=KEY, by="ann", at_ms=NOW_MS)
        asyncio.run(activate_release(refresher.registry, refresher.topic, wanted))

    with pytest.raises(RegistryConflict, match="ann has activated"):
        refresher.refresh(mine, questions(303))
    assert refresher.in_force == first.release


def test_what_could_not_be_published_is_published_by_the_next_run(refresher: Refresher) -> None:
    refresher.topic.fails = RuntimeError("no route")
    with pytest.raises(NotPublished):
        refresher.refresh(FakeMiner(SOME))
    refresher.topic.fails = None
    row = refresher.refresh(FakeMiner(SOME))
    assert (row.outcome, row.release) == ("unchanged", refresher.in_force)
    assert [key.partition("/")[0] for key, _ in refresher.topic.records] == ["release", "active"]


def test_a_run_that_failed_is_tried_again(refresher: Refresher, registry: Registry) -> None:
    failed = RefreshRow(
        domain=DOMAIN.name,
        outcome="failed",
        inputs=refresher.job().inputs(sorted(questions(300), key=lambda each: each.example_id)),
    )
    registry.note_refresh(failed, by="cron", at_ms=NOW_MS)
    assert refresher.refresh(FakeMiner(SOME)).outcome == "activated"


def test_an_example_that_is_taken_back_is_unlearned(refresher: Refresher) -> None:
    first = refresher.refresh(FakeMiner(SOME + REFUND))
    assert refresher.refresh(FakeMiner(SOME + REFUND + IT), questions(303)).outcome == "activated"
    third = refresher.refresh(FakeMiner(SOME + REFUND))
    assert (third.outcome, third.release) == ("activated", first.release)
    assert refresher.in_force == first.release


def test_one_that_could_not_be_published_counts_as_of_a_refresh(refresher: Refresher) -> None:
    first = refresher.refresh(FakeMiner(SOME + REFUND))
    refresher.topic.fails = RuntimeError("no route")
    wider = FakeMiner(SOME + REFUND + IT)
    with pytest.raises(NotPublished):
        refresher.refresh(wider, questions(303))
    refresher.topic.fails = None
    assert refresher.refresh(wider, questions(303)).outcome == "unchanged"
    assert refresher.in_force != first.release
    row = refresher.refresh(FakeMiner(SOME + REFUND))
    assert (row.outcome, row.release) == ("activated", first.release)


class Killed(BaseException):
    """Nothing is written down any more."""


class Deadly(FakeReleaseTopic):
    """Who has sent there is killed."""

    async def send(self, records: Sequence[tuple[str, bytes]]) -> None:
        await super().send(records)
        raise Killed


def test_one_that_is_killed_when_it_has_activated_counts_as_of_a_refresh(
    refresher: Refresher,
) -> None:
    first = refresher.refresh(FakeMiner(SOME + REFUND))
    wider, living = FakeMiner(SOME + REFUND + IT), refresher.topic
    refresher.topic = Deadly()
    refresher.topic.records = living.records
    with pytest.raises(Killed):
        refresher.killed(wider, questions(303))
    refresher.topic = living
    assert refresher.refresh(wider, questions(303)).outcome == "unchanged"
    assert refresher.in_force != first.release
    row = refresher.refresh(FakeMiner(SOME + REFUND))
    assert (row.outcome, row.release) == ("activated", first.release)


def fitted_with_a_bundle(refresher: Refresher) -> str:
    """Put a release in force that says so."""
    release = replace(build_release(DOMAIN, pack_rules(DOMAIN)), bundle="sha256:" + "b" * 64)
    row = refresher.registry.add_release(
        sign(canonical_bytes(release), KEY, "release"), by="ann", at_ms=NOW_MS
    )
    wanted = Wanted(release=row.digest, key=KEY, by="ann", at_ms=NOW_MS)
    asyncio.run(activate_release(refresher.registry, refresher.topic, wanted))
    return row.digest


def test_without_the_bundle_of_the_release_in_force_nothing_is_mined(refresher: Refresher) -> None:
    fitted = fitted_with_a_bundle(refresher)
    miner = FakeMiner(SOME)
    with pytest.raises(InvalidSettings, match="was fitted with bundle bbbbbbbbbbbb"):
        refresher.refresh(miner)
    assert (miner.seen, refresher.in_force) == ([], fitted)
    assert refresher.refresh(miner, change_bundle=True).outcome == "activated"


def test_what_workers_obey_by_another_registry_stops_it_before_it_mines(
    refresher: Refresher, tmp_path: Path
) -> None:
    first = refresher.refresh(FakeMiner(SOME + REFUND))
    with Registry.open(tmp_path / "fresh.db") as fresh:
        second = Refresher(fresh, tmp_path / "other work")
        second.topic = refresher.topic
        miner = FakeMiner(SOME)
        with pytest.raises(ReleaseRefused, match="which this registry has not decided") as refused:
            second.refresh(miner)
        assert (miner.seen, second.in_force) == ([], None)
    assert (first.release or "")[7:19] in str(refused.value)


def test_what_another_registry_publishes_while_it_mines_goes_first(
    refresher: Refresher, tmp_path: Path
) -> None:
    with Registry.open(tmp_path / "fresh.db") as fresh:
        second = Refresher(fresh, tmp_path / "other work")
        second.topic = refresher.topic

        def mine(labelled: Sequence[LabelledQuestion], folder: Path) -> None:
            FakeMiner(SOME)(labelled, folder)
            refresher.refresh(FakeMiner(SOME + REFUND))

        with pytest.raises(ReleaseRefused, match="which this registry has not decided"):
            second.refresh(mine)
        assert second.in_force is None


class Overtaken(FakeReleaseTopic):
    """Behind what is sent stands at once what another registry has activated."""

    def __init__(self, activation: tuple[str, bytes]) -> None:
        super().__init__()
        self.activation = activation

    async def send(self, records: Sequence[tuple[str, bytes]]) -> None:
        await super().send([*records, self.activation])


def test_a_release_that_workers_do_not_obey_is_no_success(refresher: Refresher) -> None:
    theirs = Activation(
        domain=DOMAIN.name,
        labels_digest=DOMAIN.labels_digest,
        digest="sha256:" + "7" * 64,
        shadow=None,
        sequence=9,
        by="bob",
        at_ms=NOW_MS,
    )
    envelope = signed_to_bytes(sign(activation_to_bytes(theirs), KEY, "activation"))
    refresher.topic = Overtaken((topic_key(theirs), envelope))
    with pytest.raises(ReleaseRefused, match=r"workers obey 777777777777 \(sequence 9, by bob\)"):
        refresher.refresh(FakeMiner(SOME))
    assert refresher.registry.audit()[0].details["outcome"] == "failed"


class Unreachable(FakeReleaseTopic):
    async def read(self, trust: TrustStore | None) -> Published:
        raise BrokerUnreachable("nobody answers")


def test_the_broker_is_tried_before_it_mines(refresher: Refresher) -> None:
    refresher.topic = Unreachable()
    miner = FakeMiner(SOME)
    with pytest.raises(BrokerUnreachable):
        refresher.refresh(miner)
    assert miner.seen == []
    assert refresher.refresh(miner, stage=True).outcome == "staged", "that asks no broker"


def test_the_key_is_tried_before_it_mines(refresher: Refresher) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\2" * 32).public_key()
    miner = FakeMiner(SOME)
    with pytest.raises(ReleaseRefused, match="is not in the trust store"):
        refresher.refresh(miner, trust=TrustStore(keys={key_id(other): other}))
    assert miner.seen == []


def test_a_key_that_never_signed_here_is_refused_before_it_mines(refresher: Refresher) -> None:
    refresher.refresh(FakeMiner(SOME))
    miner = FakeMiner(SOME + REFUND)
    other = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
    with pytest.raises(ReleaseRefused, match="or say --new-key"):
        refresher.refresh(miner, questions(303), key=other)
    assert miner.seen == []


def test_a_run_that_is_stopped_is_written_down_and_tried_again(refresher: Refresher) -> None:
    def mine(labelled: Sequence[LabelledQuestion], folder: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresher.refresh(mine)
    details = refresher.registry.audit()[0].details
    assert details["outcome"] == "interrupted"
    assert details["inputs"] == refresher.job().inputs(questions(300))
    assert refresher.refresh(FakeMiner(SOME)).outcome == "activated"


def test_the_newest_runs_are_kept_to_be_looked_at(refresher: Refresher) -> None:
    mine = refresher.folder / "0123456789ab"
    mine.mkdir(parents=True)
    rows = [refresher.refresh(FakeMiner(SOME), questions(300 + n)) for n in range(KEPT + 2)]
    there = {each.name for each in refresher.folder.iterdir()}
    assert there == {mine.name, *(row.inputs[:12] for row in rows[2:])}


def test_in_a_folder_that_others_may_use_too_no_run_is_removed(refresher: Refresher) -> None:
    for number in range(KEPT + 2):
        refresher.refresh(FakeMiner(SOME), questions(300 + number), forget_old=False)
    assert len(list(refresher.folder.iterdir())) == KEPT + 2


def test_a_candidate_that_cannot_be_written_is_one_sentence(refresher: Refresher) -> None:
    inputs = refresher.job().inputs(questions(300))
    candidate_file(refresher.folder, inputs).mkdir(parents=True)
    with pytest.raises(InvalidSettings, match=r"cannot be written: .*; make room"):
        refresher.refresh(FakeMiner(SOME))
