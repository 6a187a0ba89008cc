"""What a mining run finished before it was stopped, kept for the run that goes on with it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from rule_store import RuleSet, RuleStoreError, print_rules, read_rules
from rule_store.mining.found import Improvement
from rule_store.mining.miner import Effort, Miner, Mining
from rule_store.mining.table import LabelledEvidence
from rule_store.mining.unlabelled import UnlabelledEvidence
from streams.errors import InvalidSettings
from streams.folder_lock import FolderLock
from streams.whole_files import remove_leftovers, write_whole

FOLDER = ".checkpoint"


def mining_digest(
    miner: Miner,
    examples: Sequence[LabelledEvidence],
    settings: str,
    *,
    unlabelled: Sequence[UnlabelledEvidence] = (),
) -> str:
    """SHA-256 over everything that the minings of a task depend on.

    Args:
        miner: brings task, labels, lexicon and written rules.
        examples: in their order, which decides between equal candidates.
        settings: all others, in words.
        unlabelled: examples without labels, in their order.
    """
    fields = [
        [metadata.version("kdsl"), np.__version__, settings],
        [miner.task, miner.label_names, [rule.id for rule in miner.written]],
        sorted((name, sorted(phrases)) for name, phrases in miner.lexicon.concepts.items()),
        [[each.label, *_words(each)] for each in examples],
        [_words(each) for each in unlabelled],
    ]
    text = json.dumps(fields, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _words(example: LabelledEvidence | UnlabelledEvidence) -> list[Any]:
    evidence = example.evidence
    ids = [example.example_id, example.dialogue_id]
    return [*ids, sorted(evidence.texts.items()), sorted(evidence.facts.items())]


def _untold(sentence: str) -> None:
    """Nobody is told."""


class Checkpoint:
    """One file a mining, `<task>-<number>.json`, each with the digest of what it was mined from.

    Args:
        out: where the mined files go; the checkpoint stands in a hidden folder below.
        told: is given a sentence on what was kept and cannot be read.
    """

    def __init__(self, out: Path, *, told: Callable[[str], None] = _untold) -> None:
        self.folder = out / FOLDER
        self._out = out
        self._told = told
        self._lock = FolderLock(self.folder, holder="mining", cure="stop it, or give another --out")

    def acquire(self) -> None:
        """Keep other runs out, and remove what one that was killed left half written.

        Raises:
            FolderInUse: another run uses the folder.
            InvalidSettings: it cannot be made, or not be written to.
        """
        self._lock.acquire()
        for folder in (self._out, self.folder):
            remove_leftovers(folder)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs out meanwhile; what is kept stays.

        Raises:
            FolderInUse, InvalidSettings: as `acquire` does.
        """
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def kept(self, miner: Miner, digest: str) -> list[Mining]:
        """The minings of a task that are kept, in order, up to one that is no longer whole.

        What follows such a one is removed with it: it may rest on it.

        Raises:
            InvalidSettings: they are of other examples or settings.
        """
        minings: list[Mining] = []
        while (path := self._path(miner.task, len(minings))).is_file():
            fields = _fields(path)
            if fields is not None and fields["digest"] != digest:
                raise InvalidSettings(
                    f"{path} is of other examples or settings: remove {self.folder}, or give "
                    "another --out"
                )
            mining = None if fields is None else _mining(fields, path, miner)
            if mining is None:
                self._told(f"{path} is broken: it is mined again")
                self._drop(miner.task, len(minings))
                break
            minings.append(mining)
        return minings

    def _drop(self, task: str, number: int) -> None:
        while (path := self._path(task, number)).is_file():
            path.unlink()
            number += 1

    def keep(self, miner: Miner, digest: str, minings: Sequence[Mining]) -> None:
        """Keep the latest of the minings of a task."""
        latest = minings[-1]
        fields = {
            "digest": digest,
            "rules": print_rules(RuleSet(task=miner.task, rules=latest.rules)),
            "efforts": [
                {
                    "label": each.label,
                    "expansions": each.expansions,
                    "trace": [[step.expansions, step.reward] for step in each.trace],
                }
                for each in latest.efforts
            ],
        }
        text = json.dumps(fields, ensure_ascii=False)
        write_whole(self._path(miner.task, len(minings) - 1), text)

    @property
    def count(self) -> int:
        """How many minings are kept."""
        return len(self._files())

    def remove(self) -> None:
        """Forget every mining, once the mined files stand.

        The lock file stays: whoever waits at a removed one would hold nothing.
        """
        for path in self._files():
            path.unlink()
        self.release()

    def release(self) -> None:
        """Let other runs in; what is kept stays."""
        self._lock.release()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*-*.json"))

    def _path(self, task: str, number: int) -> Path:
        return self.folder / f"{task}-{number}.json"


def _fields(path: Path) -> dict[str, Any] | None:
    """What a file holds; None when it is not whole."""
    try:
        fields = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidSettings(f"{path} cannot be read: {error.strerror}; remove it") from error
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and isinstance(fields.get("digest"), str) else None


def _mining(fields: dict[str, Any], path: Path, miner: Miner) -> Mining | None:
    """The mining that was kept; None when it is not whole."""
    try:
        rules = read_rules(
            fields["rules"],
            task=miner.task,
            labels=miner.label_names,
            lexicon=miner.lexicon,
            origin=str(path),
        )
        efforts = tuple(_effort(row) for row in fields["efforts"])
    except (ValueError, TypeError, KeyError, AttributeError, RuleStoreError):
        return None
    return Mining(rules=rules.rules, efforts=efforts)


def _effort(row: dict[str, Any]) -> Effort:
    trace = tuple(
        Improvement(expansions=int(expansions), reward=float(reward))
        for expansions, reward in row["trace"]
    )
    return Effort(label=str(row["label"]), expansions=int(row["expansions"]), trace=trace)
