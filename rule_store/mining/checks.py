"""Checks: which labelled examples can be mined, and what to say of the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rule_store.errors import shown
from rule_store.evidence import CHANNELS, FACTS
from rule_store.mining.table import LabelledEvidence
from rule_store.named import first, meant, one_of

Checked = tuple[tuple[LabelledEvidence, ...], tuple[str, ...]]


def check_examples(examples: Iterable[LabelledEvidence], label_names: Sequence[str]) -> Checked:
    """Leave out what cannot be mined, and say what, where and what to do about it.

    An example is left out when its label is unknown, when its id comes with several labels, or
    when part of its evidence is unread; of one given twice the first is taken. Labels without an
    example, or with only one, are said, and change nothing.

    Args:
        examples: of one task.
        label_names: all labels of the task.

    Returns:
        The usable examples, in order, and a sentence for each thing that is wrong.
    """
    given = tuple(examples)
    known, unknown = _known(given, label_names)
    single, repeated = _single(known)
    usable, unread = _read(single)
    thin = _thin(usable, label_names) if usable else ["no example is left to mine; label some"]
    return usable, (*unknown, *repeated, *unread, *thin)


_Step = tuple[tuple[LabelledEvidence, ...], list[str]]


def _known(examples: Sequence[LabelledEvidence], label_names: Sequence[str]) -> _Step:
    names = frozenset(label_names)
    unknown = [each for each in examples if each.label not in names]
    labels = [meant(label, label_names) for label in dict.fromkeys(e.label for e in unknown)]
    messages = (
        [
            f"unknown label {first(labels)} ({_named([e.example_id for e in unknown])}): left "
            "out; add it to the domain pack or correct it to one of "
            f"{one_of(label_names)}"
        ]
        if unknown
        else []
    )
    return tuple(each for each in examples if each.label in names), messages


def _single(examples: Sequence[LabelledEvidence]) -> _Step:
    labels: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for each in examples:
        labels[each.example_id].setdefault(each.label)
    taken: dict[str, LabelledEvidence] = {}
    for each in examples:
        if len(labels[each.example_id]) == 1:
            taken.setdefault(each.example_id, each)
    times = Counter(each.example_id for each in examples)
    messages = [
        f"example {shown(name)} has the labels {', '.join(map(shown, its_labels))}: left out; "
        "keep the right one"
        for name, its_labels in labels.items()
        if len(its_labels) > 1
    ]
    twice = [name for name in taken if times[name] > 1]
    if twice:
        messages.append(f"given more than once ({_named(twice)}): taken once; remove the others")
    return tuple(taken.values()), messages


def _read(examples: Sequence[LabelledEvidence]) -> _Step:
    unread = [each.example_id for each in examples if any(_unread(each))]
    left_out = frozenset(unread)
    messages = (
        [f"screen unread ({_named(unread)}): left out; give the images or their readings"]
        if unread
        else []
    )
    return tuple(each for each in examples if each.example_id not in left_out), messages


def _unread(example: LabelledEvidence) -> Iterator[bool]:
    yield any(channel not in example.evidence.texts for channel in CHANNELS)
    yield any(fact not in example.evidence.facts for fact in FACTS)


def _thin(examples: Sequence[LabelledEvidence], label_names: Sequence[str]) -> list[str]:
    counts = Counter(each.label for each in examples)
    without = [name for name in label_names if not counts[name]]
    alone = [name for name in label_names if counts[name] == 1]
    messages = []
    if without:
        messages.append(
            f"no example of {_listed(without)}: no rule can be mined for it; label some, or write "
            "rules into the domain pack"
        )
    if alone:
        messages.append(
            f"one example of {_listed(alone)}: no rule for it can be tested on another; label more"
        )
    return messages


def _named(example_ids: Sequence[str]) -> str:
    count = len(example_ids)
    return f"{count} example{'s' if count > 1 else ''}: {_listed(example_ids)}"


def _listed(names: Sequence[str]) -> str:
    return first(list(map(shown, names)))
