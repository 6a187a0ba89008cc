"""Sample: labelled examples taken apart, channel by channel and fact by fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from rule_store.evidence import Channel, Evidence, Fact
from rule_store.mining.errors import UnreadEvidence
from rule_store.mining.table import LabelledEvidence

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The examples that candidates are taken from.

    In the shapes, `N` is the number of examples and `L` that of labels that occur.

    names: ids of the examples, for errors.
    labels: `[N]`, positions in the sorted names of the labels.
    totals: `[L]`, examples of each.
    """

    evidences: list[Evidence]
    names: list[str]
    labels: npt.NDArray[np.int32]
    totals: npt.NDArray[np.int64]

    @classmethod
    def of(cls, examples: Sequence[LabelledEvidence]) -> Self:
        places = {label: place for place, label in enumerate(sorted({e.label for e in examples}))}
        labels = np.array([places[each.label] for each in examples], dtype=np.int32)
        return cls(
            evidences=[each.evidence for each in examples],
            names=[each.example_id for each in examples],
            labels=labels,
            totals=np.bincount(labels, minlength=len(places)),
        )

    @property
    def talks(self) -> bool:
        """Whether at least half of the examples say something."""
        saying = sum(bool(each.texts.get("last")) for each in self.evidences)
        return 0 < 2 * saying >= len(self.evidences)

    def texts(self, channel: Channel) -> list[str]:
        texts = [each.texts.get(channel) for each in self.evidences]
        return list(self._read(f"channel {channel}", texts))

    def values(self, fact: Fact) -> list[float]:
        return list(self._read(f"fact {fact}", [each.facts.get(fact) for each in self.evidences]))

    def _read(self, what: str, values: Iterable[T | None]) -> Iterator[T]:
        for name, value in zip(self.names, values, strict=True):
            if value is None:
                raise UnreadEvidence(name, what)
            yield value
