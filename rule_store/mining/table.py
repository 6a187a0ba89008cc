"""Table: which predicates hold for which labelled examples, one bit each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from rule_store.errors import shown
from rule_store.evidence import Evidence
from rule_store.lexicon import Lexicon
from rule_store.mining.body import Body, is_negated, predicate_of
from rule_store.mining.columns import columns, packed
from rule_store.predicates import Predicate

Words = npt.NDArray[np.uint64]
Labels = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]

# What is masked at a time: it stays in the processor's second cache while it is counted.
_BLOCK_BYTES = 1 << 19


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledEvidence:
    """An example as mining reads it; its id is that of the event.

    dialogue_id: of the dialogue that the event shows at one moment; left out, the example id.
    """

    example_id: str
    evidence: Evidence
    label: str
    dialogue_id: str = ""

    def __post_init__(self) -> None:
        if not self.dialogue_id:
            object.__setattr__(self, "dialogue_id", self.example_id)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """The examples of a task, as the search sees them.

    In the shapes, `P` is the number of predicates, `N` of examples, and `W` is N / 64, rounded up.

    words: `[P, W]`; bit n % 64 of word n // 64 of row p says that predicate p holds for example n.
        Bits beyond the last example are 0.
    labels: `[N]`, positions in `label_names`.
    example_ids: of the N examples, in order.
    """

    predicates: tuple[Predicate, ...]
    words: Words
    labels: Labels
    label_names: tuple[str, ...]
    example_ids: tuple[str, ...]

    @classmethod
    def of(
        cls,
        examples: Sequence[LabelledEvidence],
        predicates: Sequence[Predicate],
        *,
        label_names: Sequence[str],
        lexicon: Lexicon,
    ) -> Self:
        """Test every predicate on every example.

        Raises:
            ValueError: an example's label is not among the names; `check_examples` finds these.
            UnknownConcept: the lexicon lacks a concept that a predicate names.
            UnreadEvidence: an example's channel or fact is unread that a predicate names.
        """
        return cls.of_words(
            columns(
                [each.evidence for each in examples],
                predicates,
                lexicon=lexicon,
                names=[each.example_id for each in examples],
            ),
            examples,
            predicates=predicates,
            label_names=label_names,
        )

    @classmethod
    def of_words(
        cls,
        words: Words,
        examples: Sequence[LabelledEvidence],
        *,
        predicates: Sequence[Predicate],
        label_names: Sequence[str],
    ) -> Self:
        """Make a table of predicates that were tested on the examples already.

        Args:
            words: `[P, W]`, as the table keeps them.
            examples: the N examples.
            predicates: the P predicates.
            label_names: all labels of the task, in its order.

        Raises:
            ValueError: an example's label is not among the names; `check_examples` finds these.
        """
        positions = {name: position for position, name in enumerate(label_names)}
        for each in examples:
            if each.label not in positions:
                raise ValueError(f"{shown(each.label)} is no label; leave {each.example_id} out")
        return cls(
            predicates=tuple(predicates),
            words=words,
            labels=np.array([positions[each.label] for each in examples], dtype=np.int32),
            label_names=tuple(label_names),
            example_ids=tuple(each.example_id for each in examples),
        )

    @classmethod
    def of_bits(
        cls,
        holds: npt.NDArray[np.bool_],
        labels: Sequence[int] | npt.NDArray[np.integer],
        *,
        predicates: Sequence[Predicate],
        label_names: Sequence[str],
        example_ids: Sequence[str] | None = None,
    ) -> Self:
        """Make a table of what is known already.

        Args:
            holds: `[N, P]`; whether a predicate holds for an example.
            labels: `[N]`, positions in `label_names`.
            predicates: the P predicates.
            label_names: all labels of the task, in its order.
            example_ids: "0", "1", … when left out.

        Raises:
            ValueError: the shapes do not fit, or a label has no name.
        """
        ids = tuple(map(str, range(len(holds))) if example_ids is None else example_ids)
        codes = np.asarray(labels, dtype=np.int32)
        if holds.shape != (len(codes), len(predicates)) or len(ids) != len(codes):
            raise ValueError(f"bits {holds.shape}; give one row an example, one column a predicate")
        if codes.size and not 0 <= codes.min() <= codes.max() < len(label_names):
            raise ValueError("a label has no name; give each label a position in label_names")
        return cls(
            predicates=tuple(predicates),
            words=packed(holds),
            labels=codes,
            label_names=tuple(label_names),
            example_ids=ids,
        )

    def everything(self) -> Words:
        """`[W]`: the mask of all examples."""
        return mask_of(np.ones(len(self.labels), dtype=np.bool_))

    def of_label(self, label: int) -> Words:
        """`[W]`: the mask of the examples of a label."""
        return mask_of(self.labels == label)

    def covered(self, body: Body) -> Words:
        """`[W]`: the mask of the examples at which every literal of the body is true.

        The empty body covers everything.
        """
        mask = self.everything()
        for each in sorted(body):
            row = self.words[predicate_of(each)]
            np.bitwise_and(mask, ~row if is_negated(each) else row, out=mask)
        return mask

    def counts(self, mask: Words) -> Counts:
        """Count, for every predicate, the examples of a mask at which it holds.

        For the negated literals take these from `popcount(mask)`: no second pass is needed.

        Args:
            mask: `[W]`.

        Returns:
            `[P]`.
        """
        counts = np.empty(len(self.words), dtype=np.int64)
        rows = max(1, _BLOCK_BYTES // max(1, mask.nbytes))
        shared = np.empty((min(rows, len(self.words)), len(mask)), dtype=np.uint64)
        for start in range(0, len(self.words), rows):
            block = self.words[start : start + rows]
            both = np.bitwise_and(block, mask, out=shared[: len(block)])
            np.bitwise_count(both).sum(axis=1, dtype=np.int64, out=counts[start : start + rows])
        return counts


def mask_of(chosen: npt.NDArray[np.bool_]) -> Words:
    """Pack one flag an example, `[N]`, into a mask, `[W]`.

    >>> mask_of(np.array([True, False, True])).tolist()
    [5]
    """
    mask: Words = packed(chosen[:, np.newaxis])[0]
    return mask


def popcount(mask: Words) -> int:
    """Count the examples of a mask.

    >>> popcount(mask_of(np.array([True, False, True])))
    2
    """
    return int(np.bitwise_count(mask).sum(dtype=np.int64))
