"""The benchmark as a whole, before anything runs."""

import sys

import pytest

from streams.bench.bench import check_extra, steps
from streams.bench.plan import Plan
from streams.bench.scale import Scale
from streams.errors import MissingExtra


@pytest.mark.parametrize(
    ("module", "package"), [("confluent_kafka", "confluent-kafka"), ("quixstreams", "quixstreams")]
)
def test_without_the_peers_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"{package} is not installed.*'\.\[bench\]'"):
        check_extra()


def test_steps_are_counted_as_they_will_be_told() -> None:
    # 15 rows, each 5 times at both sizes and killed once; 3 rows timed 3 times
    assert steps(Scale()) == 15 * (5 * 2 + 1) + 3 * 3
    # ours and two rows of quix, once at one size; of these only ours is timed
    assert steps(Scale(only=("quix",), runs=1, large_records=0, kills=0, latency_runs=1)) == 3 + 1


def test_quick_is_a_tenth_once() -> None:
    quick = Scale(records=5000, large_records=0, kills=0).quick()
    assert (quick.records, quick.large_records, quick.runs, quick.kills) == (500, 0, 1, 0)


def test_a_plan_survives_its_way_to_the_worker() -> None:
    plan = Plan(
        peer="quix",
        flavour="best",
        bootstrap="127.0.0.1:9092",
        source="in",
        target="out",
        group="g",
        records=7,
        seconds=1.5,
        partitions=4,
        report="/nowhere/measure.json",
    )
    assert Plan.from_json(plan.to_json()) == plan
