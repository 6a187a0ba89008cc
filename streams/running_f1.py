"""Weighted F1 of answers that change one at a time."""

from collections import Counter
from collections.abc import Sequence


class RunningF1:
    """Keeps the counts that `weighted_f1` takes, so that a change costs the same among any number.

    >>> running = RunningF1(["a", "a", "b", "b"], ["a", "a", "b", None])
    >>> running.f1
    0.8333333333333333
    >>> running.change("b", before=None, after="b")
    >>> running.f1
    1.0

    Args:
        labels: the right labels.
        answers: what was answered, in the same order; None is an abstention.
    """

    def __init__(self, labels: Sequence[str], answers: Sequence[str | None]) -> None:
        self._support = Counter(labels)
        self._claimed = Counter(answers)
        pairs = zip(labels, answers, strict=True)
        self._hits = Counter(label for label, answer in pairs if label == answer)

    def change(self, label: str, *, before: str | None, after: str | None) -> None:
        """Answer one question of this label otherwise."""
        self._claimed[before] -= 1
        self._claimed[after] += 1
        self._hits[label] += (after == label) - (before == label)

    @property
    def f1(self) -> float:
        """From 0 to 1; 0 when there is nothing to answer."""
        total = sum(
            count * 2 * self._hits[label] / (count + self._claimed[label])
            for label, count in self._support.items()
        )
        return total / self._support.total() if self._support else 0.0
