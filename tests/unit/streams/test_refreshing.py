"""What a refresh decides before it mines, and what it tells of the gate."""

from dataclasses import replace
from pathlib import Path

import pytest

from inference.bundle import Bundle, BundleTask, write_bundle
from rule_store import Activation, Release, read_rules
from rule_store.mining.gate import Check, GateReport
from rule_store.registry import RefreshOutcome, RefreshRow
from streams.building import RuleSource, build_release, pack_rules
from streams.errors import InvalidSettings
from streams.fusion import FusionWeights
from streams.refresh_bundle import not_fitted, refuse_other_bundle, weights_kept
from streams.refreshing import (
    build_candidate,
    in_words,
    inputs_digest,
    known,
    may_have_learned,
)
from tests.factories import NOW_MS
from tests.refreshes import DOMAIN, TRACK, question, questions

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def last(outcome: RefreshOutcome, *, release: str | None = TWO, active: str | None) -> RefreshRow:
    return RefreshRow(
        domain="shop",
        outcome=outcome,
        inputs="0" * 64,
        release=release,
        active=active,
        reasons=("FAILED: size",),
    )


def activation(digest: str) -> Activation:
    return Activation(
        domain="shop",
        labels_digest=DOMAIN.labels_digest,
        digest=digest,
        shadow=None,
        sequence=1,
        by="ann",
        at_ms=NOW_MS,
    )


def test_inputs_never_seen_are_for_the_miner() -> None:
    assert known(None, activation(ONE), overruled=False, stage=False) is None


def test_a_refusal_holds_as_long_as_the_same_is_in_force() -> None:
    row = last("refused", active=ONE)
    again = known(row, activation(ONE), overruled=False, stage=False)
    assert again is not None
    assert (again.outcome, again.reasons) == ("refused", ("FAILED: size",))
    assert known(row, None, overruled=False, stage=False) is None


@pytest.mark.parametrize("outcome", ["activated", "staged", "unchanged"])
def test_what_is_in_force_is_not_made_again(outcome: RefreshOutcome) -> None:
    again = known(last(outcome, active=ONE), activation(TWO), overruled=False, stage=False)
    assert again is not None
    assert again.outcome == "unchanged"


@pytest.mark.parametrize("outcome", ["activated", "unchanged", "staged"])
def test_what_a_person_has_overruled_stays_out(outcome: RefreshOutcome) -> None:
    again = known(last(outcome, active=ONE), activation(ONE), overruled=True, stage=False)
    assert again is not None
    assert "kdsl release activate 222222222222" in again.reasons[0]


@pytest.mark.parametrize("outcome", ["activated", "unchanged"])
def test_what_a_later_refresh_has_replaced_may_come_back(outcome: RefreshOutcome) -> None:
    row = last(outcome, active=ONE)
    assert known(row, activation(ONE), overruled=False, stage=False) is None


def test_what_is_staged_is_not_staged_again_and_is_activated_when_that_is_asked() -> None:
    row = last("staged", active=ONE)
    assert known(row, activation(ONE), overruled=False, stage=True) is not None
    assert known(row, activation(ONE), overruled=False, stage=False) is None


def test_inputs_are_named_by_everything_that_decides() -> None:
    def named(**changed: object) -> str:
        given: dict[str, object] = {
            "bundle": None,
            "settings": {"seed": 0},
            "version": "1",
            "labelled": questions(6),
        }
        given |= changed
        labelled = given.pop("labelled")
        return inputs_digest(DOMAIN, labelled, **given)  # type: ignore[arg-type]

    same = named()
    assert named(labelled=questions(6)[::-1]) == same
    others = [
        named(bundle=ONE),
        named(settings={"seed": 1}),
        named(version="2"),
        named(labelled=questions(7)),
        named(labelled=[*questions(5), question("d5", "track")]),
        named(labelled=[*questions(5), replace(questions(6)[5], dialogue_id="d4")]),
    ]
    assert len({same, *others}) == 7


def test_a_candidate_names_the_examples_it_was_made_from() -> None:
    one, two = (
        build_candidate(DOMAIN, pack_rules(DOMAIN), questions(n), bundle=None, settings={})
        for n in (3, 4)
    )
    assert one.examples_digest != two.examples_digest
    assert one.tasks == two.tasks


def release(*, bundle: str | None = None, mined: bool = False, hold_out: str = "none") -> Release:
    rules = read_rules(TRACK, task="intent", labels=DOMAIN.labels["intent"], lexicon=DOMAIN.lexicon)
    fitted = {rule.id: 0.9 for rule in rules.rules} if mined else {}
    sources = {"intent": RuleSource(rule_set=rules, fitted=fitted)}
    built = build_release(DOMAIN, sources, settings={"hold_out": hold_out})
    return replace(built, bundle=bundle)


def test_without_the_bundle_of_the_release_in_force_it_stops_unless_that_shall_change(
    tmp_path: Path,
) -> None:
    other = bundle_in(tmp_path)
    for given in (None, other):
        with pytest.raises(InvalidSettings, match=r"with bundle 222222222222, .*--change-bundle"):
            refuse_other_bundle(release(bundle=TWO), given, change=False)
        refuse_other_bundle(release(bundle=TWO), given, change=True)
    refuse_other_bundle(release(bundle=other.digest), other, change=False)


def test_who_had_no_bundle_may_take_one(tmp_path: Path) -> None:
    refuse_other_bundle(release(), bundle_in(tmp_path), change=False)
    refuse_other_bundle(None, bundle_in(tmp_path), change=False)


def bundle_in(folder: Path) -> Bundle:
    labels = DOMAIN.labels["intent"]
    task = BundleTask(labels=labels, graph="g.onnx", features="f.json", temperature=1.0)
    return write_bundle(
        folder / "bundle",
        recipe="compact",
        tasks={"intent": task},
        files={"g.onnx": b"", "f.json": b"{}", "out_of_fold.jsonl": b""},
        facts={},
    )


def test_only_rules_that_were_mined_without_holding_out_may_know_the_split() -> None:
    assert may_have_learned(release(mined=True))
    assert not may_have_learned(release(mined=True, hold_out="admission"))
    assert not may_have_learned(release(mined=False))


def test_what_failed_is_told_first() -> None:
    checks = (
        Check(name="size", passed=True, said="small"),
        Check(name="calibration", passed=False, said="far off"),
    )
    assert in_words(GateReport(checks=checks)) == (
        "FAILED: calibration: far off",
        "passed: size: small",
    )


def test_a_task_without_an_example_keeps_what_was_fitted_with_the_same_bundle(
    tmp_path: Path,
) -> None:
    model = bundle_in(tmp_path)
    built = release(bundle=model.digest)
    task = replace(built.tasks["intent"], defaults=False, vote_weight=0.3)
    fitted = replace(built, tasks={"intent": task})
    kept = FusionWeights(answer_at=task.answer_at, fuse_at=task.fuse_at, vote_weight=0.3)
    assert weights_kept(fitted, model) == {"intent": kept}
    assert weights_kept(replace(fitted, bundle=TWO), model) == {}
    assert weights_kept(built, model) == {}
    assert not_fitted(DOMAIN, fitted, model) == ()
    assert not_fitted(DOMAIN, built, model)[0].startswith("intent: no example")
    assert not_fitted(DOMAIN, built, None) == ()
