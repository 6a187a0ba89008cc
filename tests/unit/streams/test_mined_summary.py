"""The summary of a mining: figures that can be recounted, and a page that is safe to open."""

from dataclasses import replace

import pytest

from rule_store.mining.found import Improvement
from rule_store.mining.miner import Effort
from streams.curves import Chart
from streams.mined_figures import figures
from streams.mined_summary import summary_html
from tests.mined import example, examples, mined_task
from tests.rules import has, rule

# Each example says its label's word: the rules of either fold are right at all of the other.
MINED = mined_task()


def test_figures_are_of_held_out_examples() -> None:
    found = figures(MINED.mined, MINED.efforts)
    assert (found.weighted_f1, found.spoken, found.firings) == (1.0, 1.0, 36)
    assert found.selective[-1] == (1.0, 1.0)
    assert all(right == 1.0 for _, right in found.reliability)


def test_an_example_that_no_rule_knows_counts_as_wrong() -> None:
    """Labels of 13, 12, 12; the first has F1 2·12 / (13 + 12), the others 1."""
    odd = mined_task([*examples(12), example("odd", "track", "umbrella")])
    found = figures(odd.mined, odd.efforts)
    assert found.weighted_f1 == pytest.approx((13 * 24 / 25 + 24) / 37)
    assert found.spoken == pytest.approx(36 / 37)
    assert found.selective[-1][0] == pytest.approx(36 / 37)


def test_convergence_is_the_mean_share_of_the_best_reward() -> None:
    def effort(*steps: tuple[int, float]) -> Effort:
        trace = tuple(Improvement(expansions=n, reward=reward) for n, reward in steps)
        return Effort(label="x", expansions=9, trace=trace)

    efforts = (effort((1, 2.0), (3, 4.0)), effort((2, 5.0)), effort())
    found = figures(MINED.mined, efforts)
    assert found.convergence == ((1.0, 0.25), (2.0, 0.75), (3.0, 1.0))


def test_nothing_mined_still_has_a_page() -> None:
    nothing = mined_task(examples(1))
    found = figures(nothing.mined, nothing.efforts)
    assert (found.weighted_f1, found.spoken, found.firings, found.ece) == (0.0, 0.0, 0, 0.0)
    assert "<h2>intent</h2>" in summary_html([nothing], {})


def test_the_page_needs_nothing_else_and_says_how_it_was_mined() -> None:
    page = summary_html([MINED], {"view": "live", "seed": "0"})
    assert "<tr><th>view</th><td>live</td></tr>" in page
    assert page.count("<svg") == 3
    assert "src=" not in page
    assert "href=" not in page
    assert "<script" not in page
    assert page == summary_html([mined_task()], {"view": "live", "seed": "0"})


def test_words_of_customers_stay_words() -> None:
    evil = rule(has("<script>alert(1)</script>"), has("&amp;"), label="other")
    mined = mined_task(written=[evil])
    noted = replace(mined, given=replace(mined.given, messages=("<b>left out</b>",)))
    page = summary_html([noted], {"domain": "<i>"})
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&amp;amp;" in page
    assert "&lt;b&gt;left out" in page
    assert "<i>" not in page


def test_a_chart_places_points_between_its_axes() -> None:
    chart = Chart(
        title='a "b"', x="x", y="y", points=[(0.0, 0.0), (2.0, 1.0)], x_max=2.0, dots=True
    )
    drawn = chart.svg()
    assert 'aria-label="a &quot;b&quot;"' in drawn
    assert '<polyline points="46.0,196.0 308.0,12.0"/>' in drawn
    assert drawn.count("<circle") == 2
