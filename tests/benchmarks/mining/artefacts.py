"""Artefacts: what was mined from each training part, kept by content; for other benchmarks too.

    cache = Cache(Path(".kdsl/bench-mining"))
    corpus = read_corpus(data / "taobao", pack=pack, view="recorded", cache=cache)
    with Workers(2) as workers:
        artefacts = Artefacts(cache, workers)
        for part in outer_folds(corpus.examples["intent"], seed=11):
            training = Training.of(
                part.training, pack=pack, task="intent", knowledge=Knowledge.PACK
            )
            mined = artefacts.mined([training])[0]
            mined.chosen.rules, mined.chosen.values()    # rule id → reliability
            mined.by_fold, mined.votes                   # out-of-fold votes in the training part

An entry that is not there is mined. Its name is a digest of the examples' evidence and labels,
the lexicon, the written rules, the settings and the source text of `rule_store`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rule_store.mining.mined import Mined
from tests.benchmarks.mining.cache import Cache
from tests.benchmarks.mining.mined_json import Fields, fields_of, mined_of
from tests.benchmarks.mining.training import Training, mine
from tests.benchmarks.mining.workers import Tell, Workers

A = TypeVar("A")


def _untold(line: str) -> None:
    """Nobody looks."""


class Artefacts:
    """Gives what mining makes of trainings, from the cache where it is there."""

    def __init__(self, cache: Cache, workers: Workers, tell: Tell = _untold) -> None:
        self._cache = cache
        self._workers = workers
        self._tell = tell

    def mined(self, trainings: Sequence[Training]) -> list[Mined]:
        """What each training led to; the missing ones are mined side by side."""
        digests = [training.digest for training in trainings]
        return [
            mined_of(
                fields,
                task=training.task,
                label_names=training.label_names,
                lexicon=training.lexicon,
            )
            for training, fields in zip(
                trainings, self.kept("mined", _mined_fields, trainings, digests), strict=True
            )
        ]

    def kept(
        self,
        kind: str,
        function: Callable[[A], Fields],
        values: Sequence[A],
        digests: Sequence[str],
    ) -> list[Fields]:
        """What a function makes of each value: from the cache, or made side by side and kept.

        Args:
            kind: of the entries.
            function: of a module, so that other processes find it.
            values: what it takes.
            digests: of all that each outcome depends on.
        """
        found = [self._cache.read(kind, digest) for digest in digests]
        missing = [place for place, fields in enumerate(found) if fields is None]
        runs = self._workers.run(function, [values[place] for place in missing])
        for number, (which, fields) in enumerate(runs, start=1):
            place = missing[which]
            self._cache.write(kind, digests[place], fields)
            found[place] = fields
            self._tell(f"{kind}: {number} of {len(missing)}")
        return [fields for fields in found if fields is not None]


def _mined_fields(training: Training) -> Fields:
    return fields_of(mine(training), task=training.task)
