"""Reading dialogues without labels with a progress bar."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from streams.cli.terminal import counted, progress, say, say_notes, stderr
from streams.datasets import View, read_examples
from streams.domain import Domain
from streams.errors import DatasetError
from streams.labelled import LeftOut, told
from streams.model_side import ModelSide
from streams.settings import Settings
from streams.unlabelled import UnlabelledQuestion, read_unlabelled


def read_unlabelled_questions(
    paths: Sequence[Path], view: View, settings: Settings, domain: Domain
) -> list[UnlabelledQuestion]:
    """Every question of the dialogues, screenshots read (from the cache where possible).

    What is no example, or none that a worker would take, is left out, and said.

    Raises:
        DatasetError: a file is no dataset.
    """
    return asyncio.run(_read(paths, view, settings, domain))


async def _read(
    paths: Sequence[Path], view: View, settings: Settings, domain: Domain
) -> list[UnlabelledQuestion]:
    left_out: list[LeftOut] = []

    def note(place: str, fault: DatasetError) -> None:
        left_out.append(LeftOut.of_fault(place, fault))

    # The present time would make the same examples look different tomorrow.
    datasets = (
        read_examples(path, domain=domain.name, view=view, now_ms=0, left_out=note)
        for path in paths
    )
    examples = list(map(say_notes, chain.from_iterable(datasets)))
    labels = sum(each.label is not None for each in examples)
    if labels:
        say(
            f"--unlabelled: the labels of {counted(labels, 'example')} are ignored; name labelled "
            "ones with --examples to use them"
        )
    asked: list[UnlabelledQuestion] = []
    with progress(stderr()) as bar:
        line = bar.add_task("reading unlabelled examples", total=len(examples))
        async with ModelSide(settings, domain) as side:
            async for found in read_unlabelled(examples, domain=domain, screens=side.screens):
                bar.advance(line)
                if isinstance(found, LeftOut):
                    left_out.append(found)
                else:
                    asked.extend(found)
    for sentence in told(left_out):
        say(f"--unlabelled: {sentence}")
    return asked
