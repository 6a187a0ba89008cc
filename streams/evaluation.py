"""How good a set of answers is: weighted F1 over the labels."""

from collections import Counter
from collections.abc import Sequence


def weighted_f1(labels: Sequence[str], answers: Sequence[str | None]) -> float:
    """F1 of every label, weighted by how often the label is the right one.

    An abstention (None) is a wrong answer: it is missed by its label and claimed by none.

    >>> weighted_f1(["a", "a", "b", "b"], ["a", "a", "b", None])
    0.8333333333333333

    Args:
        labels: the right labels.
        answers: what was answered, in the same order.

    Returns:
        From 0 to 1; 0 when there is nothing to answer.
    """
    support = Counter(labels)
    claimed = Counter(answer for answer in answers if answer is not None)
    hits = Counter(label for label, answer in zip(labels, answers, strict=True) if label == answer)
    total = sum(
        count * 2 * hits[label] / (count + claimed[label]) for label, count in support.items()
    )
    return total / len(labels) if labels else 0.0
