"""Registry: what refreshes came to, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from rule_store.registry import RefreshOutcome, RefreshRow, Registry, refreshes
from tests.factories import NOW_MS
from tests.registries import LABELS_DIGEST, activate, add

INPUTS, OTHERS = "1" * 64, "2" * 64
ROW = RefreshRow(
    domain="shop",
    outcome="refused",
    inputs=INPUTS,
    release="sha256:" + "a" * 64,
    active=None,
    reasons=("FAILED: 标签",),
)


def note(registry: Registry, row: RefreshRow) -> None:
    registry.note_refresh(row, by="cron", at_ms=NOW_MS)


def test_a_run_is_found_again_by_domain_and_inputs(registry: Registry) -> None:
    note(registry, ROW)
    assert registry.last_refresh("shop", INPUTS) == ROW
    assert registry.last_refresh("shop", OTHERS) is None
    assert registry.last_refresh("kiosk", INPUTS) is None
    assert registry.verify_audit() == 1


def test_the_newest_run_counts_and_a_failed_one_decided_nothing(registry: Registry) -> None:
    later = RefreshRow(domain="shop", outcome="activated", inputs=INPUTS, release=ROW.release)
    note(registry, ROW)
    note(registry, later)
    note(registry, RefreshRow(domain="shop", outcome="failed", inputs=INPUTS))
    note(registry, RefreshRow(domain="shop", outcome="interrupted", inputs=INPUTS))
    note(registry, RefreshRow(domain="shop", outcome="activating", inputs=INPUTS))
    assert registry.last_refresh("shop", INPUTS) == later


def test_a_run_is_found_below_more_rows_than_are_read_at_once(registry: Registry) -> None:
    note(registry, ROW)
    for number in range(1001):
        note(registry, RefreshRow(domain="shop", outcome="unchanged", inputs=f"{number}"))
    assert registry.last_refresh("shop", INPUTS) == ROW


def test_reasons_are_cut_to_fit(registry: Registry) -> None:
    note(registry, RefreshRow(domain="shop", outcome="failed", reasons=("页" * 9000,) * 40))
    (row,) = registry.audit()
    assert row.details["reasons"] == ["页" * 250] * 16


def put_in_force(registry: Registry, release: str) -> None:
    """As a refresh does."""
    note(registry, RefreshRow(domain="shop", outcome="activating", inputs=INPUTS, release=release))
    activate(registry, release)


def overruled(registry: Registry, release: str) -> bool:
    return registry.overruled("shop", LABELS_DIGEST, release)


def test_what_a_person_has_put_in_the_place_of_a_release_overrules_it(registry: Registry) -> None:
    one, two, three = add(registry, "one", "two", "three")
    assert not overruled(registry, one), "it never was in force"
    put_in_force(registry, one)
    put_in_force(registry, two)
    assert not overruled(registry, one), "a refresh has replaced it"
    activate(registry, one)
    assert overruled(registry, two)
    put_in_force(registry, three)
    assert overruled(registry, two), "a person did before"
    assert not overruled(registry, one)
    put_in_force(registry, two)
    assert not overruled(registry, two), "it was in force since"


def test_who_gives_a_release_a_shadow_puts_no_other_in_its_place(registry: Registry) -> None:
    one, two, three = add(registry, "one", "two", "three")
    put_in_force(registry, one)
    put_in_force(registry, two)
    activate(registry, two, shadow=three)
    assert not overruled(registry, one)


@pytest.mark.parametrize("since", ["failed", "unchanged"])
def test_what_a_run_did_not_come_to_activate_a_person_has(
    registry: Registry, since: RefreshOutcome
) -> None:
    one, two = add(registry, "one", "two")
    put_in_force(registry, one)
    for outcome in ("activating", since):
        row = RefreshRow(domain="shop", outcome=outcome, inputs=INPUTS, release=two)
        note(registry, row)
    activate(registry, two)
    assert overruled(registry, one)


def test_activations_are_looked_for_below_more_rows_than_are_read_at_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshes, "ROWS", 2)
    one, two, three = add(registry, "one", "two", "three")
    put_in_force(registry, one)
    activate(registry, two)
    for release in (three, two, three, two):
        put_in_force(registry, release)
    assert overruled(registry, one)
    assert not overruled(registry, three)


def test_a_run_that_found_another_in_force_decides_nothing_anew(registry: Registry) -> None:
    staged = RefreshRow(domain="shop", outcome="staged", inputs=INPUTS, release=ROW.release)
    note(registry, staged)
    note(registry, replace(staged, outcome="unchanged"))
    assert registry.last_refresh("shop", INPUTS) == staged
    in_force = replace(staged, outcome="unchanged", active=ROW.release)
    note(registry, in_force)
    assert registry.last_refresh("shop", INPUTS) == in_force


def test_what_else_stands_in_the_trail_is_not_read(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def note_read(_: object, __: object, statement: str, *rest: object) -> None:
        read.extend([statement] if "FROM audit" in statement else [])

    monkeypatch.setattr(refreshes, "ROWS", 2)
    note(registry, ROW)
    for _ in range(4):
        note(registry, RefreshRow(domain="kiosk", outcome="unchanged", inputs=INPUTS))
    event.listen(Engine, "before_cursor_execute", note_read)
    assert registry.last_refresh("shop", INPUTS) == ROW
    event.remove(Engine, "before_cursor_execute", note_read)
    assert len(read) == 1


def test_runs_of_long_ago_are_forgotten(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshes, "_RUNS", 2)
    note(registry, ROW)
    note(registry, RefreshRow(domain="shop", outcome="unchanged", inputs=OTHERS))
    assert registry.last_refresh("shop", INPUTS) == ROW
    note(registry, RefreshRow(domain="shop", outcome="unchanged", inputs=OTHERS))
    assert registry.last_refresh("shop", INPUTS) is None
