"""Refreshes and dies: `refresh_killer.py WHEN LESSON FOLDER KEY BOOTSTRAP PREFIX`."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import Activation, load_key
from rule_store.mining.gate import GateSettings
from rule_store.registry import RefreshRow, Registry
from rule_store.registry.releases import ReleaseRow
from streams.cluster import Cluster
from streams.labelled import LabelledQuestion
from streams.publishing import KafkaReleaseTopic
from streams.refresh_run import RefreshJob, run
from streams.refresh_trail import written_down
from tests.factories import NOW_MS
from tests.refreshes import DOMAIN, OTHER, TRACK, FakeMiner, questions

MOMENTS = ("mined", "built", "registered", "decided", "half published", "published")

# Lesson → how many examples teach it, and the rules that are found.
LESSONS = {
    "first": (300, TRACK + OTHER),
    "wider": (303, TRACK + OTHER + 'when last has "it" then track\n'),
}


class Fate:
    """Kills the process at its moment."""

    def __init__(self, when: str) -> None:
        self.when = when

    def at(self, moment: str) -> None:
        if moment == self.when:
            os.kill(os.getpid(), signal.SIGKILL)


class FatalMiner(FakeMiner):
    def __init__(self, fate: Fate, rules: str) -> None:
        super().__init__(rules)
        self._fate = fate

    def __call__(self, questions: Sequence[LabelledQuestion], folder: Path) -> None:
        super().__call__(questions, folder)
        self._fate.at("mined")


class FatalRegistry(Registry):
    fate: Fate

    def add_release(self, *given: Any, **fields: Any) -> ReleaseRow:
        self.fate.at("built")
        row = super().add_release(*given, **fields)
        self.fate.at("registered")
        return row

    def activate(self, *given: Any, **fields: Any) -> Activation:
        activation = super().activate(*given, **fields)
        self.fate.at("decided")
        return activation


class FatalTopic(KafkaReleaseTopic):
    fate: Fate

    async def send(self, records: Sequence[tuple[str, bytes]]) -> None:
        for each in records:
            await super().send([each])
            self.fate.at("half published")
        self.fate.at("published")


def refresh(
    when: str, folder: Path, key: Ed25519PrivateKey, topic: FatalTopic, *, lesson: str = "first"
) -> RefreshRow:
    """Refresh as the command does, as far as that goes."""
    fate = topic.fate = Fate(when)
    count, rules = LESSONS[lesson]
    job = RefreshJob(
        domain=DOMAIN,
        classifier=None,
        folder=folder / "work",
        forget_old=True,
        settings={"hold_out": "admission"},
        gate=GateSettings(),
        change_bundle=False,
        stage=False,
        key=key,
        trust=None,
        new_key=False,
        by="cron",
        at_ms=NOW_MS,
        version="1",
    )
    with (
        FatalRegistry.open(folder / "registry.db") as registry,
        written_down(registry, DOMAIN.name, by="cron", now_ms=lambda: NOW_MS) as trail,
    ):
        registry.fate = fate
        mine = FatalMiner(fate, rules)
        return run(registry, topic, job, labelled=questions(count), mine=mine, trail=trail)


def main(when: str, lesson: str, folder: str, key: str, bootstrap: str, prefix: str) -> None:
    topic = FatalTopic(Cluster(bootstrap=bootstrap), prefix=prefix)
    refresh(when, Path(folder), load_key(Path(key)), topic, lesson=lesson)


if __name__ == "__main__":
    main(*sys.argv[1:])
