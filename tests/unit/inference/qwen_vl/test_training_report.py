"""A report keeps its figures through JSON and draws its curves."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.qwen_vl.training_chart import MOST_POINTS, training_chart
from inference.qwen_vl.training_report import HeldOut, Step, TrainingReport, weighted_f1
from streams.evaluation import weighted_f1 as weighted_f1_of_tags

SVG = "{http://www.w3.org/2000/svg}"


def report(steps: int = 6) -> TrainingReport:
    return TrainingReport(
        task="a<b",
        labels=("x", "y"),
        identity={"examples": "0" * 64},
        settings={"seed": 0, "prompt": {"descriptions": True}},
        examples=8,
        held_out_examples=2,
        trained_weights=16,
        steps=tuple(Step(step=n + 1, loss=2.0 / (n + 1), learning_rate=1e-4) for n in range(steps)),
        held_out=tuple(
            HeldOut(step=n, weighted_f1=n / 10, accuracy=0.5, log_loss=1.5 / n) for n in (3, 6)
        ),
        stopped_early=False,
        best_step=6,
        weighted_f1=0.6,
        temperature=1.1,
        ece=0.02,
    )


def test_a_report_comes_back_from_json_as_it_was() -> None:
    assert TrainingReport.from_json(report().to_json()) == report()


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"labels": 3}', b"no json"])
def test_something_else_is_no_report(content: bytes) -> None:
    with pytest.raises(ValueError):
        TrainingReport.from_json(content)


def test_loss_and_held_out_figures_are_drawn() -> None:
    picture = ET.fromstring(training_chart(report()))  # noqa: S314 - drawn a moment ago
    lines = [line.attrib["points"].split() for line in picture.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [6, 2, 2]
    titles = [text.text for text in picture.iter(f"{SVG}text") if "class" in text.attrib]
    assert titles == ["Training loss", "Held-out weighted F1", "Held-out log-loss"]
    assert "a<b" in picture.attrib["aria-label"]


def test_a_long_run_is_thinned() -> None:
    picture = ET.fromstring(training_chart(report(steps=5_000)))  # noqa: S314 - likewise
    longest = next(picture.iter(f"{SVG}polyline")).attrib["points"].split()
    assert 200 < len(longest) <= MOST_POINTS


@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_weighted_f1_is_that_of_tags(pairs: list[tuple[int, int]]) -> None:
    predicted, labels = (np.array(side) for side in zip(*pairs, strict=True))
    expected = weighted_f1_of_tags([str(at) for at in labels], [str(at) for at in predicted])
    assert weighted_f1(predicted, labels) == pytest.approx(expected)
