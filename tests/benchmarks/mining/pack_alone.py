"""Row 2: what the pack's own rules answer, without a label."""

from __future__ import annotations

from collections.abc import Iterator

from rule_store.mining.answers import Answer, Decider, by_settling, by_votes
from streams.datasets import View
from tests.benchmarks.mining.bench import Bench
from tests.benchmarks.mining.figures import accuracy, f1
from tests.benchmarks.mining.judged import fired_on
from tests.benchmarks.mining.lines import Bar, Line

ROW = 2
TITLE = "The pack alone, no label used: weighted F1, an abstention is wrong"

_KNOWN = {"intent": ".72 accuracy", "scene": ".54–.56"}
_BARS = {"intent": Bar(value=0.76), "scene": Bar(value=0.62)}
_DECIDERS: dict[str, Decider] = {"by votes": by_votes, "where rules agree": by_settling}


def lines(bench: Bench) -> Iterator[Line]:
    for task in bench.tasks:
        for view in bench.views(task):
            for says, decider in _DECIDERS.items():
                yield from _lines(bench, view, task, says, decider)


def _lines(bench: Bench, view: View, task: str, says: str, decider: Decider) -> Iterator[Line]:
    answers = _answers(bench, view, task, decider)
    barred = view == "recorded" and decider is by_votes
    for of, among in bench.among(view, task).items():
        yield Line(
            row=ROW,
            says=says,
            task=task,
            view=view,
            of=of,
            known=_KNOWN.get(task, "") if barred else "",
            bar=_BARS.get(task) if barred else None,
            figure=bench.estimate([f1(answers)], among),
        )
        if barred:
            yield Line(
                row=ROW,
                says=f"{says}: accuracy",
                task=task,
                view=view,
                of=of,
                figure=bench.estimate([accuracy(answers)], among),
            )


def _answers(bench: Bench, view: View, task: str, decider: Decider) -> list[Answer]:
    rules = bench.pack.rule_sets[task].rules
    assumed = bench.pack.tasks[task].assumed_reliability
    values = {rule.id: assumed for rule in rules}
    examples = bench.examples(view, task)
    return [
        Answer(example_id=each.example_id, label=each.label, said=decider(fired, values))
        for each, fired in zip(examples, fired_on(rules, examples, bench.pack.lexicon), strict=True)
    ]
