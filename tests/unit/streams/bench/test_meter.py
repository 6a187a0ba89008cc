"""The clock of a worker."""

from pathlib import Path

from streams.bench.meter import Measure, Meter


class Clock:
    """A clock that stands until it is told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def make_meter(report: Path, *, records: int = 10, seconds: float = 30.0) -> tuple[Meter, Clock]:
    clock = Clock()
    meter = Meter(
        records=records,
        seconds=seconds,
        report=report,
        wall_s=clock,
        cpu_s=lambda: clock.now_s / 2,
    )
    return meter, clock


def test_the_clock_starts_at_the_first_record_and_stops_at_the_commit(tmp_path: Path) -> None:
    meter, clock = make_meter(tmp_path / "measure.json")
    clock.now_s = 100.0  # joining the group, not counted
    meter.begin()
    clock.now_s = 102.0
    meter.begin()
    meter.add(10)
    clock.now_s = 104.0
    meter.finish()
    measure = Measure.read(tmp_path / "measure.json")
    assert measure == Measure(records=10, wall_s=4.0, cpu_s=2.0)
    assert (measure.per_s, measure.per_cpu_s) == (2.5, 5.0)


def test_it_is_over_when_all_records_are_through(tmp_path: Path) -> None:
    meter, _ = make_meter(tmp_path / "measure.json", records=3)
    meter.begin()
    meter.add(2)
    assert not meter.over
    meter.add(1)
    assert meter.over


def test_it_is_over_when_the_time_is_over(tmp_path: Path) -> None:
    meter, clock = make_meter(tmp_path / "measure.json", seconds=5.0)
    clock.now_s = 60.0
    assert not meter.over
    meter.begin()
    clock.now_s = 65.0
    assert meter.over


def test_what_comes_after_it_was_over_is_not_counted(tmp_path: Path) -> None:
    """The commit that ends the run covers what was through when it began."""
    meter, clock = make_meter(tmp_path / "measure.json", seconds=5.0)
    meter.begin()
    clock.now_s = 4.0
    meter.add(1)
    clock.now_s = 5.0
    meter.add(2)
    clock.now_s = 6.0
    meter.add(4)
    meter.finish()
    assert Measure.read(tmp_path / "measure.json") == Measure(records=3, wall_s=6.0, cpu_s=3.0)


def test_a_worker_that_is_not_timed_goes_on(tmp_path: Path) -> None:
    meter, clock = make_meter(tmp_path / "measure.json", records=0)
    meter.begin()
    meter.add(1_000_000)
    clock.now_s = 1_000_000.0
    assert not meter.over


def test_only_the_first_finish_is_reported(tmp_path: Path) -> None:
    meter, clock = make_meter(tmp_path / "measure.json")
    meter.begin()
    meter.add(1)
    clock.now_s = 1.0
    meter.finish()
    meter.add(1)
    meter.finish()
    assert Measure.read(tmp_path / "measure.json") == Measure(records=1, wall_s=1.0, cpu_s=0.5)


def test_nothing_is_read_before_there_is_a_report(tmp_path: Path) -> None:
    assert Measure.read(tmp_path / "measure.json") is None
