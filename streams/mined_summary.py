"""`summary.html`: what was mined and how far to believe it, as one file without a network."""

from collections.abc import Mapping, Sequence
from html import escape

from rule_store import print_body
from rule_store.printing import reading_order
from streams.curves import Axis, Chart
from streams.html_tables import bullets, cell, code, facts_table, list_table, number
from streams.mined_figures import PRECISION, Figures, figures
from streams.rule_mining import MinedTask
from streams.unlabelled_summary import taught_section, untaught_section
from streams.untaught import UntaughtTask

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
_HELD_OUT = (
    "<p>Every figure is of held-out examples: each is judged by rules that were mined, judged "
    "and chosen without its fold. The pack's own rules were written, not mined: as far as "
    "their author had read these examples, what they bring is not held out.</p>\n"
)


def summary_html(
    mined: Sequence[MinedTask | UntaughtTask],
    facts: Mapping[str, str],
    *,
    others: Sequence[str] = (),
    iterations: int | None = None,
) -> str:
    """Lay out the summary.

    Args:
        mined: by task.
        facts: how it was mined, in words.
        others: tasks that the folder has rules of, and this run did not mine.
        iterations: that every search was given; None, if the clock could end one before.
    """
    rows = [(name, cell(value)) for name, value in facts.items()]
    sections = "\n".join(
        _section(each, figures(each.mined, each.efforts, iterations=iterations))
        if isinstance(each, MinedTask)
        else untaught_section(each)
        for each in mined
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Mined rules</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Mined rules</h1>\n{_last_run(mined, others)}{facts_table(rows)}\n"
        f"{_HELD_OUT if any(isinstance(each, MinedTask) for each in mined) else ''}"
        f"{sections}\n</body>\n</html>\n"
    )


def _last_run(mined: Sequence[MinedTask | UntaughtTask], others: Sequence[str]) -> str:
    if not others:
        return ""
    about, kept = (escape(" and ".join(names)) for names in ([each.name for each in mined], others))
    return (
        f"<p>This page is of the last run, about {about}. What the folder has of {kept} stays as "
        "it was; its figures are not here.</p>\n"
    )


def _section(mined: MinedTask, found: Figures) -> str:
    rows = [
        ("examples", cell(str(len(mined.given.examples)))),
        ("rules", cell(_origins(mined))),
        ("weighted F1 of what rules alone answer", cell(f"{found.weighted_f1:.3f}")),
        ("examples at which a rule fires", cell(f"{found.spoken:.1%}")),
        (f"answered when {PRECISION:.0%} shall be right", cell(_answered(found))),
        ("calibration error of reliabilities", cell(_calibration(found))),
        ("bodies expanded", cell(str(sum(each.expansions for each in mined.efforts)))),
    ]
    return "\n".join(
        [
            f"<h2>{escape(mined.name)}</h2>",
            facts_table(rows),
            bullets(mined.given.messages),
            f'<div class="charts">\n{_charts(found)}\n</div>',
            _without_labels(mined),
            f"<h3>The rules believed most, at most {_BEST}</h3>",
            _rules_table(mined),
        ]
    )


def _origins(mined: MinedTask) -> str:
    count = {"mined": 0, "description": 0, "pack": 0}
    for rule in mined.mined.chosen.rules:
        count[mined.origin(rule.id)] += 1
    described = f", {count['description']} from descriptions" if count["description"] else ""
    return f"{count['mined']} mined, {count['pack']} of the pack{described}"


def _without_labels(mined: MinedTask) -> str:
    if mined.trial is None or mined.estimates is None:
        return ""
    return taught_section(mined.trial, mined.estimates, mined.mined.chosen.rules)


def _answered(found: Figures) -> str:
    if not found.answered:
        return "nothing: no answer is so surely right"
    return f"{found.answered:.1%}, of which {found.precision:.1%} right"


def _calibration(found: Figures) -> str:
    honest = "within" if found.ece <= found.honest_ece else "beyond"
    return f"{found.ece:.3f}, {honest} what honest ones stay below ({found.honest_ece:.3f})"


def _charts(found: Figures) -> str:
    charts = [_reliability(found), _selective(found)]
    if len(found.convergence) > 1:
        charts.append(_convergence(found))
    return "\n".join(
        f"<figure>\n{chart.svg()}\n<figcaption>{escape(said)}</figcaption>\n</figure>"
        for chart, said in charts
    )


def _reliability(found: Figures) -> tuple[Chart, str]:
    chart = Chart(
        title="Reliability diagram",
        x=Axis(says="reliability said"),
        y=Axis(says="share right"),
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
        x=Axis(says="share answered"),
        y=Axis.of_shares("share of answers right", min((y for _, y in found.selective), default=0)),
        points=found.selective,
    )
    return chart, (
        "Coverage and precision: the surest answers first. Read off how many can be answered at "
        "the precision you need."
    )


def _convergence(found: Figures) -> tuple[Chart, str]:
    chart = Chart(
        title="Convergence of the search",
        x=Axis.of_counts("bodies expanded for a first rule", found.convergence[-1][0]),
        y=Axis(says="share of the best reward"),
        points=found.convergence,
        dots=True,
    )
    return chart, (
        "Convergence: how soon a label's first rule was found, the mean of all labels. A curve "
        "that still rises close to the iterations given asks for more --iterations."
    )


def _rules_table(mined: MinedTask) -> str:
    chosen = mined.mined.chosen
    # The sort keeps the order of choice among equals.
    best = sorted(chosen.rules, key=lambda rule: -chosen.reliability[rule.id].value)[:_BEST]
    rows = [
        [
            code(print_body(reading_order(rule.body))),
            cell(rule.label),
            number(f"{known.value:.2f}"),
            number(f"{known.low:.2f}–{known.high:.2f}"),
            number(str(counts.right + counts.wrong)),
            cell(mined.origin(rule.id)),
        ]
        for rule in best
        for known, counts in [(chosen.reliability[rule.id], chosen.training[rule.id])]
    ]
    head = ("when", "then", "reliability", "95 %", "covered examples", "from")
    return list_table(head, rows)
