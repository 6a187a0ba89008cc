"""What a refresh decides before it mines, and what it tells of the gate."""

import pytest

from rule_store import Activation
from rule_store.mining.gate import Check, GateReport
from rule_store.registry import RefreshOutcome, RefreshRow
from streams.building import pack_rules
from streams.refreshing import build_candidate, in_words, inputs_digest, known
from tests.factories import NOW_MS
from tests.refreshes import DOMAIN, question, questions

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
    assert known(None, activation(ONE), stage=False) is None


def test_a_refusal_holds_as_long_as_the_same_is_in_force() -> None:
    row = last("refused", active=ONE)
    again = known(row, activation(ONE), stage=False)
    assert again is not None
    assert (again.outcome, again.reasons) == ("refused", ("FAILED: size",))
    assert known(row, None, stage=False) is None


@pytest.mark.parametrize("outcome", ["activated", "staged", "unchanged"])
def test_what_is_in_force_is_not_made_again(outcome: RefreshOutcome) -> None:
    again = known(last(outcome, active=ONE), activation(TWO), stage=False)
    assert again is not None
    assert again.outcome == "unchanged"


@pytest.mark.parametrize("outcome", ["activated", "unchanged"])
def test_what_was_in_force_and_is_not_any_more_stays_out(outcome: RefreshOutcome) -> None:
    again = known(last(outcome, active=ONE), activation(ONE), stage=False)
    assert again is not None
    assert "kdsl release activate 222222222222" in again.reasons[0]


def test_what_is_staged_is_not_staged_again_and_is_activated_when_that_is_asked() -> None:
    row = last("staged", active=ONE)
    assert known(row, activation(ONE), stage=True) is not None
    assert known(row, activation(ONE), stage=False) is None


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
    ]
    assert len({same, *others}) == 6


def test_a_candidate_names_the_examples_it_was_made_from() -> None:
    one, two = (
        build_candidate(DOMAIN, pack_rules(DOMAIN), questions(n), bundle=None, settings={})
        for n in (3, 4)
    )
    assert one.examples_digest != two.examples_digest
    assert one.tasks == two.tasks


def test_what_failed_is_told_first() -> None:
    checks = (
        Check(name="size", passed=True, said="small"),
        Check(name="calibration", passed=False, said="far off"),
    )
    assert in_words(GateReport(checks=checks)) == (
        "FAILED: calibration: far off",
        "passed: size: small",
    )
