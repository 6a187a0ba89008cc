"""`summary.html`: what was mined and how far to believe it, as one file without a network."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from rule_store import print_body
from rule_store.printing import reading_order
from streams.curves import Chart
from streams.mined_figures import PRECISION, Figures, figures
from streams.rule_mining import MinedTask

_BEST = 30
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --ink: #2563a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #7db4ee; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); }
th { vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { overflow-wrap: anywhere; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; flex: 1 1 18rem; max-width: 22rem; }
svg text { font-size: 11px; fill: currentColor; }
svg polyline { fill: none; stroke: var(--ink); stroke-width: 2; }
svg circle { fill: var(--ink); }
.grid { stroke: var(--line); } .even { stroke: currentColor; stroke-dasharray: 4 4; }
"""


def summary_html(mined: Sequence[MinedTask], facts: Mapping[str, str]) -> str:
    """Lay out the summary.

    Args:
        mined: by task.
        facts: how it was mined, in words.
    """
    rows = [(name, _cell(value)) for name, value in facts.items()]
    sections = "\n".join(_section(each, figures(each.mined, each.efforts)) for each in mined)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Mined rules</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Mined rules</h1>\n{_facts_table(rows)}\n"
        "<p>Every figure is of held-out examples: each is judged by rules that were mined, judged "
        "and chosen without its fold. The pack's own rules were written, not mined: as far as "
        "their author had read these examples, what they bring is not held out.</p>\n"
        f"{sections}\n</body>\n</html>\n"
    )


def _section(mined: MinedTask, found: Figures) -> str:
    chosen = mined.mined.chosen
    own = len(chosen.rules) - len(mined.mined.fitted_on)
    rows = [
        ("examples", _cell(str(len(mined.given.examples)))),
        ("rules", _cell(f"{len(mined.mined.fitted_on)} mined, {own} of the pack")),
        ("weighted F1, most votes", _cell(f"{found.weighted_f1:.3f}")),
        ("examples at which a rule fires", _cell(f"{found.spoken:.1%}")),
        (
            f"answered when {PRECISION:.0%} shall be right",
            _cell(f"{found.answered:.1%}, of which {found.precision:.1%} right"),
        ),
        ("calibration error of reliabilities", _cell(_calibration(found))),
        ("bodies expanded", _cell(str(sum(each.expansions for each in mined.efforts)))),
    ]
    notes = "".join(f"<li>{escape(each)}</li>\n" for each in mined.given.messages)
    return "\n".join(
        [
            f"<h2>{escape(mined.name)}</h2>",
            _facts_table(rows),
            f"<ul>\n{notes}</ul>" if notes else "",
            f'<div class="charts">\n{_charts(found)}\n</div>',
            f"<h3>The rules believed most, at most {_BEST}</h3>",
            _rules_table(mined),
        ]
    )


def _calibration(found: Figures) -> str:
    honest = "within" if found.ece <= found.honest_ece else "beyond"
    return f"{found.ece:.3f}, {honest} what honest ones stay below ({found.honest_ece:.3f})"


def _charts(found: Figures) -> str:
    charts = (_reliability(found), _selective(found), _convergence(found))
    return "\n".join(
        f"<figure>\n{chart.svg()}\n<figcaption>{escape(said)}</figcaption>\n</figure>"
        for chart, said in charts
    )


def _reliability(found: Figures) -> tuple[Chart, str]:
    chart = Chart(
        title="Reliability diagram",
        x="reliability said",
        y="share right",
        points=found.reliability,
        dots=True,
        diagonal=True,
    )
    return chart, (
        f"Reliability: {found.firings} held-out firings in groups of one size. On the dashed line "
        "reliabilities are as they say; below it they promise too much."
    )


def _selective(found: Figures) -> tuple[Chart, str]:
    chart = Chart(
        title="Coverage and precision",
        x="share answered",
        y="share of answers right",
        points=found.selective,
    )
    return chart, (
        "Coverage and precision: the surest answers first. Read off how many can be answered at "
        "the precision you need."
    )


def _convergence(found: Figures) -> tuple[Chart, str]:
    chart = Chart(
        title="Convergence of the search",
        x="bodies expanded for a first rule",
        y="share of the best reward",
        points=found.convergence,
        x_max=max((x for x, _ in found.convergence), default=1.0),
    )
    return chart, (
        "Convergence: how soon a label's first rule was found, the mean of all labels. A curve "
        "that still rises at its end asks for more --iterations."
    )


def _rules_table(mined: MinedTask) -> str:
    chosen = mined.mined.chosen
    # The sort keeps the order of choice among equals.
    best = sorted(chosen.rules, key=lambda rule: -chosen.reliability[rule.id].value)[:_BEST]
    rows = []
    for rule in best:
        known, counts = chosen.reliability[rule.id], chosen.training[rule.id]
        rows.append(
            f"<tr><td><code>{escape(print_body(reading_order(rule.body)))}</code></td>"
            f"<td>{escape(rule.label)}</td>{_number(f'{known.value:.2f}')}"
            f"{_number(f'{known.low:.2f}–{known.high:.2f}')}"
            f"{_number(str(counts.right + counts.wrong))}"
            f"<td>{'mined' if rule.id in mined.mined.fitted_on else 'pack'}</td></tr>"
        )
    head = "".join(
        f"<th>{name}</th>"
        for name in ("when", "then", "reliability", "95 %", "covered examples", "from")
    )
    return f"<table>\n<tr>{head}</tr>\n" + "\n".join(rows) + "\n</table>"


def _facts_table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "\n".join(f"<tr><th>{escape(name)}</th>{cell}</tr>" for name, cell in rows)
    return f"<table>\n{lines}\n</table>"


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _number(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>'
