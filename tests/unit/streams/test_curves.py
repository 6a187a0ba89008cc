"""Charts of a report: what is drawn where, and which marks stand at the axes."""

import pytest

from streams.curves import Axis, Chart


def test_a_chart_places_points_between_its_axes() -> None:
    x, y = Axis(says="x", high=2.0, step=1.0), Axis(says="y")
    chart = Chart(title='a "b"', x=x, y=y, points=[(0.0, 0.0), (2.0, 1.0)], dots=True)
    drawn = chart.svg()
    assert 'aria-label="a &quot;b&quot;"' in drawn
    assert '<polyline points="46.0,196.0 308.0,12.0"/>' in drawn
    assert drawn.count("<circle") == 2
    above = Chart(title="", x=x, y=Axis(says="y", low=0.8), points=[(0.0, 0.8), (2.0, 0.9)])
    assert '<polyline points="46.0,196.0 308.0,104.0"/>' in above.svg()


def test_a_point_alone_is_marked() -> None:
    """A line through one point is nothing to see."""
    chart = Chart(title="", x=Axis(says="x"), y=Axis(says="y"), points=[(1.0, 1.0)])
    assert '<circle cx="308.0" cy="12.0" r="3"/>' in chart.svg()


@pytest.mark.parametrize(
    ("highest", "marks"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (2, ["0", "1", "2"]),
        (7, ["0", "2", "4", "6"]),
        (40, ["0", "10", "20", "30", "40"]),
        (300, ["0", "100", "200", "300"]),
    ],
)
def test_an_axis_of_counts_has_whole_marks(highest: float, marks: list[str]) -> None:
    assert [said for _, said in Axis.of_counts("bodies", highest).ticks()] == marks


@pytest.mark.parametrize(
    ("lowest", "first", "second"),
    [
        (1.0, "0.8", "0.9"),
        (0.9, "0.8", "0.9"),
        (0.81, "0.8", "0.9"),
        (0.7, "0.6", "0.7"),
        (0.55, "0.5", "0.6"),
        (0.5, "0.0", "0.2"),
        (0.0, "0.0", "0.2"),
    ],
)
def test_an_axis_of_shares_begins_below_the_lowest(lowest: float, first: str, second: str) -> None:
    marks = [said for _, said in Axis.of_shares("right", lowest).ticks()]
    assert (marks[:2], marks[-1]) == ([first, second], "1.0")
