"""A stall is work that nothing of moves; a worker with nothing to do never stalls."""

from dataclasses import dataclass, field

from streams.progress import Progress

PATIENCE_S = 30.0


@dataclass
class Told:
    """A progress whose clock the test turns."""

    now_s: float = 0.0
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(clock=lambda: self.now_s)

    def stalled_at(self, now_s: float) -> float | None:
        self.now_s = now_s
        return self.progress.stalled(now_s, patience_s=PATIENCE_S)


def test_without_work_no_silence_is_too_long() -> None:
    told = Told()
    told.progress.expect(work=False)
    assert told.stalled_at(1_000_000.0) is None


def test_work_that_nothing_moves_stalls_only_after_the_longest_decision() -> None:
    told = Told()
    told.progress.expect(work=True)
    assert told.stalled_at(PATIENCE_S) is None
    assert told.stalled_at(PATIENCE_S + 1) == PATIENCE_S + 1


def test_every_sign_of_life_counts_from_its_own_moment() -> None:
    told = Told()
    told.progress.expect(work=True)
    told.now_s = 29.0
    told.progress.mark()
    assert told.stalled_at(59.0) is None
    assert told.stalled_at(60.0) == 31.0
    told.progress.mark()
    assert told.stalled_at(61.0) is None


def test_the_time_runs_anew_when_work_appears_after_a_quiet_hour() -> None:
    told = Told()
    told.progress.mark()
    told.progress.expect(work=False)
    told.now_s = 3600.0
    told.progress.expect(work=True)
    assert told.stalled_at(3630.0) is None
    assert told.stalled_at(3631.0) == 31.0


def test_work_that_stays_does_not_start_the_time_again() -> None:
    told = Told()
    for second in range(32):
        told.now_s = float(second)
        told.progress.expect(work=True)
    assert told.stalled_at(31.0) == 31.0


def test_work_that_was_gone_in_between_starts_the_time_again() -> None:
    told = Told()
    told.progress.expect(work=True)
    told.now_s = 20.0
    told.progress.expect(work=False)
    told.now_s = 21.0
    told.progress.expect(work=True)
    assert told.stalled_at(51.0) is None
    assert told.stalled_at(52.0) == 31.0
