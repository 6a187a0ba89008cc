"""The benchmark of rule mining: that it runs, and that its arithmetic is right."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from rule_store.mining.answers import Answer, Said, weighted_f1
from rule_store.mining.calibration import ece
from tests import mined as make
from tests.benchmarks.mining.__main__ import main
from tests.benchmarks.mining.artefacts import Artefacts
from tests.benchmarks.mining.bench import Bench, Plan
from tests.benchmarks.mining.cache import Cache
from tests.benchmarks.mining.fewer_labels import quarter
from tests.benchmarks.mining.figures import (
    answered,
    f1,
    firing_ece,
    firing_precision,
    precision,
    ratio,
)
from tests.benchmarks.mining.intervals import Estimate, estimate
from tests.benchmarks.mining.judged import Firing, Round, judge_round
from tests.benchmarks.mining.lines import Bar, Line, Measured, Missing
from tests.benchmarks.mining.outer import outer_folds
from tests.benchmarks.mining.rows import ROWS, TITLES, measure
from tests.benchmarks.mining.tables import missed, section
from tests.benchmarks.mining.training import Knowledge, Training, mine
from tests.benchmarks.mining.workers import Workers
from tests.benchmarks.sections import put_section

ONE = np.ones(4)
# Two of a, two of b: one a is taken for b, one b is abstained on.
ANSWERS = [
    Answer(
        example_id=str(place), label=label, said=Said(label=said, sureness=1.0) if said else None
    )
    for place, (label, said) in enumerate([("a", "a"), ("a", "b"), ("b", "b"), ("b", "")])
]
_SAYS = {
    "track_order": "where is my parcel",
    "return_refund": "i want my money back",
    "promotion": "is there a voucher",
}


def firing(place: int, reliability: float, *, right: bool) -> Firing:
    return Firing(place=place, reliability=reliability, before=1.0, mined=True, right=right)


def dialogues(folder: Path, *, each: int) -> Path:
    """So many dialogues of each of three labels of the sample shop, in `folder/taobao`."""
    lines = [
        json.dumps(
            {
                "dialogue_id": f"{label}-{number}",
                "task": "intent",
                "turns": [{"speaker": "user", "text": f"hello {'please ' * (number % 3)}{says}"}],
                "images": [],
                "label": label,
            }
        )
        for label, says in _SAYS.items()
        for number in range(each)
    ]
    (folder / "taobao").mkdir(parents=True)
    (folder / "taobao" / "dialogues.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def plan(folder: Path, **fields: object) -> Plan:
    given: dict[str, object] = {
        "data": dialogues(folder / "data", each=12),
        "cache": folder / "cache",
        "seeds": (1,),
        "domain": "storefront",
        "folds": 2,
        "processes": 1,
        "draws": 20,
    }
    return Plan(**(given | fields))  # type: ignore[arg-type]


def training() -> Training:
    return Training(
        task="intent",
        label_names=make.LABELS,
        lexicon=make.DOMAIN.lexicon,
        written=(),
        examples=tuple(make.examples(10)),
        miner=make.FAST.miner,
        held_out=make.FAST.held_out,
    )


def test_every_row_is_measured_on_a_few_dozen_dialogues(tmp_path: Path) -> None:
    told: list[str] = []
    with Workers(1) as workers:
        lines = measure(Bench(plan(tmp_path), workers, told.append))
    assert {line.row for line in lines} == set(ROWS)
    page = section(lines, TITLES, {"command": "as given"})
    assert all(f"**{row}. {title}**" in page for row, title in TITLES.items())
    assert "- command: as given" in page
    alone = [line for line in lines if line.row == 1 and line.of == "all"]
    # Each label has words of its own, so rules mined from one half answer the other.
    assert [line.figure.value for line in alone if isinstance(line.figure, Estimate)] == [1.0] * 3
    (skipped,) = [line for line in lines if isinstance(line.figure, Missing)]
    assert "clinc150 is missing: give --data" in skipped.cells()[6]
    assert json.dumps([line.fields() for line in lines])
    mined = [line for line in told if line.startswith("mined")]
    with Workers(1) as workers:
        again = Bench(plan(tmp_path / "again", cache=tmp_path / "cache"), workers, told.append)
        list(ROWS[1](again))
    assert [line for line in told if line.startswith("mined")] == mined, "mined a second time"


def test_without_the_dialogues_it_says_so(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    outcome = CliRunner().invoke(app, ["--data", str(tmp_path)])
    assert outcome.exit_code == 0
    assert "is missing; give --data the folder that has it" in outcome.output


def test_what_was_mined_is_read_back_the_same(tmp_path: Path) -> None:
    given = training()
    with Workers(1) as workers:
        artefacts = Artefacts(Cache(tmp_path), workers)
        (fresh,) = artefacts.mined([given])
        (kept,) = artefacts.mined([given])
    assert fresh == kept == mine(given)
    assert len(list((tmp_path / "mined").iterdir())) == 1


def test_an_example_more_is_another_training() -> None:
    given = training()
    more = (*given.examples, make.example("new", "track", "where"))
    fields = {name: getattr(given, name) for name in ("task", "label_names", "lexicon", "written")}
    assert Training(**fields, examples=given.examples).digest != given.digest, "other settings"
    assert (
        Training(**fields, examples=more).digest
        != Training(**fields, examples=given.examples).digest
    )


def test_every_example_is_judged_once_by_rules_that_did_not_see_it() -> None:
    examples = tuple(make.examples(10))
    folds = outer_folds(examples, seed=1)
    assert sorted(place for each in folds for place in each.places) == list(range(30))
    trainings = [
        Training.of(each.training, pack=make.DOMAIN, task="intent", knowledge=Knowledge.PACK)
        for each in folds
    ]
    judged = judge_round(folds, trainings, [mine(each) for each in trainings])
    assert [each.example_id for each in judged.answers] == [each.example_id for each in examples]
    assert weighted_f1(judged.answers) == 1.0
    assert all(
        not {each.example_id for each in outer.test} & {each.example_id for each in part.examples}
        for outer, part in zip(folds, trainings, strict=True)
    )


def test_figures_agree_with_what_can_be_recounted() -> None:
    # a: 2·1/(2 + 1), b: 2·1/(2 + 2), half of the examples each.
    assert f1(ANSWERS)(ONE) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert f1(ANSWERS)(ONE) == pytest.approx(weighted_f1(ANSWERS))
    assert answered(ANSWERS)(ONE) == 0.75
    assert precision(ANSWERS)(ONE) == pytest.approx(2 / 3)


def test_an_example_drawn_twice_counts_twice() -> None:
    twice = np.array([2.0, 0.0, 1.0, 1.0])
    drawn = [ANSWERS[0], ANSWERS[0], ANSWERS[2], ANSWERS[3]]
    assert f1(ANSWERS)(twice) == pytest.approx(weighted_f1(drawn))
    assert precision(ANSWERS)(twice) == 1.0


def test_firings_count_with_their_examples() -> None:
    judged = Round(
        answers=tuple(ANSWERS),
        sure=tuple(ANSWERS),
        firings=(
            firing(0, 0.95, right=True),
            firing(0, 0.95, right=False),
            firing(1, 0.9, right=True),
            firing(2, 0.5, right=False),
        ),
    )
    assert firing_precision(judged, least=0.9)(ONE) == pytest.approx(2 / 3)
    assert firing_precision(judged, least=0.9)(np.array([0.0, 1.0, 1.0, 1.0])) == 1.0
    assert firing_ece(judged)(np.array([2.0, 0.0, 0.0, 0.0])) == pytest.approx(
        ece([0.95] * 4, [True, False, True, False])
    )


def test_an_interval_is_of_the_examples_asked_for_and_joint_over_seeds() -> None:
    right = np.array([1.0, 1.0, 0.0, 0.0])
    first = np.array([True, True, False, False])
    found = estimate([ratio(right, ONE), ratio(1 - right, ONE)], first, draws=50)
    # All of the first two are right in one seed, and none in the other, however they are drawn.
    assert found == Estimate(value=0.5, low=0.5, high=0.5)
    wide = estimate([ratio(right, ONE)], np.ones(4, dtype=np.bool_), draws=400)
    assert (wide.value, wide.low, wide.high) == (0.5, 0.0, 1.0)


def test_a_bar_inside_the_interval_is_said() -> None:
    def line(value: float, low: float, high: float, bar: Bar) -> str:
        figure = Estimate(value=value, low=low, high=high)
        return Line(row=1, says="x", figure=figure, bar=bar).reached

    least, most = Bar(value=0.7), Bar(value=0.7, kind="most")
    assert line(0.8, 0.75, 0.9, least) == "yes"
    assert line(0.8, 0.65, 0.9, least) == "yes; bar inside"
    assert line(0.6, 0.5, 0.75, least) == "no; bar inside"
    assert line(0.6, 0.5, 0.65, most) == "yes"


def test_a_missed_bar_is_a_sentence() -> None:
    slow = Line(row=8, says="mined", figure=Measured(value=61.0, digits=1), bar=_most(60.0))
    fast = Line(row=8, says="mined", figure=Measured(value=59.0, digits=1), bar=_most(60.0))
    assert missed([slow, fast]) == ["8, mined all: 61.0, and must be ≤ 60"]


def test_a_quarter_keeps_one_in_four_of_each_label() -> None:
    examples = make.examples(9)
    kept = quarter(examples, seed=1)
    assert sorted(each.label for each in kept) == sorted(make.LABELS * 3)
    assert quarter(list(reversed(examples)), seed=1) == tuple(reversed(kept))
    assert quarter(examples, seed=2) != kept


def test_a_section_is_renewed_and_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n<!-- x: begin -->\nold\n<!-- x: end -->\n\nmore\n", encoding="utf-8")
    put_section(page, name="x", text="new\n")
    put_section(page, name="y", text="other")
    assert page.read_text(encoding="utf-8") == (
        "# Page\n\n<!-- x: begin -->\nnew\n<!-- x: end -->\n\nmore\n\n"
        "<!-- y: begin -->\nother\n<!-- y: end -->\n"
    )


def _most(value: float) -> Bar:
    return Bar(value=value, kind="most")
