"""What the audit trail tells of a refresh, however it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from rule_store.registry import RefreshOutcome, RefreshRow, Registry


class RefreshTrail:
    """The row of a run, as far as the run has come."""

    def __init__(self, domain: str, note: Callable[[RefreshRow], None]) -> None:
        self.row = RefreshRow(domain=domain, outcome="failed")
        self._note = note

    def begun(self, *, inputs: str, active: str | None) -> None:
        """What is to be learned from, and what is in force, are known."""
        self.row = replace(self.row, inputs=inputs, active=active)

    def found(self, release: str | None, reasons: tuple[str, ...]) -> None:
        """There is a candidate, and these are the reasons for what becomes of it."""
        self.row = replace(self.row, release=release, reasons=reasons)

    def activating(self) -> None:
        """Write down that the candidate is about to be activated: a run may be killed then."""
        self._note(replace(self.row, outcome="activating"))

    def ended(self, outcome: RefreshOutcome, *more: str) -> RefreshRow:
        """What came of it, and what there is to say of that."""
        self.row = replace(self.row, outcome=outcome, reasons=(*self.row.reasons, *more))
        return self.row


@contextmanager
def written_down(
    registry: Registry, domain: str, *, by: str, now_ms: Callable[[], int]
) -> Iterator[RefreshTrail]:
    """Write a run down when it is over, also when it failed or was stopped."""

    def note(row: RefreshRow) -> None:
        registry.note_refresh(row, by=by, at_ms=now_ms())

    trail = RefreshTrail(domain, note)
    try:
        yield trail
    except KeyboardInterrupt:
        trail.row = replace(trail.row, outcome="interrupted", reasons=("stopped by a signal",))
        raise
    except Exception as error:  # whatever it is, the run is to be found in the trail
        trail.row = replace(trail.row, outcome="failed", reasons=(str(error) or repr(error),))
        raise
    finally:
        note(trail.row)
