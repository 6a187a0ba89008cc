"""Registry: what refreshes came to, on SQLite and on PostgreSQL."""

from rule_store.registry import RefreshRow, Registry
from tests.factories import NOW_MS

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
