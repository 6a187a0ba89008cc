"""What a mining run finished before it was stopped, kept for the run that goes on with it."""

import hashlib
import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from rule_store import RuleSet, RuleStoreError, print_rules, read_rules
from rule_store.mining.found import Improvement
from rule_store.mining.miner import Effort, Miner, Mining
from rule_store.mining.table import LabelledEvidence
from streams.errors import InvalidSettings
from streams.folder_lock import FolderLock
from streams.whole_files import write_whole

FOLDER = ".checkpoint"


def mining_digest(miner: Miner, examples: Sequence[LabelledEvidence], settings: str) -> str:
    """SHA-256 over everything that the minings of a task depend on.

    Args:
        miner: brings task, labels, lexicon and written rules.
        examples: in their order, which decides between equal candidates.
        settings: all others, in words.
    """
    fields = [
        [metadata.version("kdsl"), np.__version__, settings],
        [miner.task, miner.label_names, [rule.id for rule in miner.written]],
        sorted((name, sorted(phrases)) for name, phrases in miner.lexicon.concepts.items()),
        [
            [
                each.example_id,
                each.label,
                sorted(each.evidence.texts.items()),
                sorted(each.evidence.facts.items()),
            ]
            for each in examples
        ],
    ]
    text = json.dumps(fields, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class Checkpoint:
    """One file a mining, `<task>-<number>.json`, each with the digest of what it was mined from.

    Args:
        out: where the mined files go; the checkpoint stands in a hidden folder below.
    """

    def __init__(self, out: Path) -> None:
        self.folder = out / FOLDER
        self._lock = FolderLock(
            self.folder, holder="rules mine", cure="stop it, or give another --out"
        )

    def acquire(self) -> None:
        """Keep other runs out.

        Raises:
            FolderInUse: another run uses the folder.
        """
        self._lock.acquire()

    def kept(self, miner: Miner, digest: str) -> list[Mining]:
        """The minings of a task that are kept, in order.

        Raises:
            InvalidSettings: they are of other examples or settings.
        """
        minings: list[Mining] = []
        while (path := self._path(miner.task, len(minings))).is_file():
            mining = _read(path, miner, digest)
            if mining is None:
                raise InvalidSettings(
                    f"{path} is of other examples or settings: remove {self.folder}, or give "
                    "another --out"
                )
            minings.append(mining)
        return minings

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
        """Forget everything, once the mined files stand."""
        for path in self._files():
            path.unlink()
        (self.folder / "lock").unlink(missing_ok=True)
        self.release()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def release(self) -> None:
        """Let other runs in; what is kept stays."""
        self._lock.release()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*-*.json"))

    def _path(self, task: str, number: int) -> Path:
        return self.folder / f"{task}-{number}.json"


def _read(path: Path, miner: Miner, digest: str) -> Mining | None:
    """A mining that was kept; None when it is of something else, or no longer whole."""
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if fields["digest"] != digest:
            return None
        rules = read_rules(
            fields["rules"],
            task=miner.task,
            labels=miner.label_names,
            lexicon=miner.lexicon,
            origin=str(path),
        )
        efforts = tuple(
            Effort(
                label=str(row["label"]),
                expansions=int(row["expansions"]),
                trace=tuple(
                    Improvement(expansions=int(expansions), reward=float(reward))
                    for expansions, reward in row["trace"]
                ),
            )
            for row in fields["efforts"]
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuleStoreError):
        return None
    return Mining(rules=rules.rules, efforts=efforts)
