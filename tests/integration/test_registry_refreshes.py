"""Registry: what refreshes came to, on SQLite and on PostgreSQL."""

import pytest
from sqlalchemy import Engine, event

from rule_store.registry import RefreshOutcome, RefreshRow, Registry, refreshes
from tests.factories import NOW_MS
from tests.registries import activate, add

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


def test_what_a_run_has_put_in_force_is_told_from_what_a_person_has(registry: Registry) -> None:
    def ran(outcome: RefreshOutcome, release: str) -> None:
        row = RefreshRow(domain="shop", outcome=outcome, inputs=INPUTS, release=release)
        note(registry, row)

    def by_refresh() -> bool:
        return registry.refresh_activated(registry.history("shop", limit=1)[0])

    one, two = add(registry, "one", "two")
    activate(registry, one)
    assert not by_refresh()
    ran("activated", one)
    assert by_refresh()
    activate(registry, two)
    ran("failed", two)
    assert by_refresh(), "it may have failed when it had activated"
    activate(registry, one)
    ran("unchanged", one)
    assert not by_refresh(), "a person has rolled back"


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
