"""Reading labelled datasets with a progress bar, for the commands that learn from them."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from streams.cli.terminal import progress, say_notes, stderr
from streams.datasets import View, read_examples
from streams.domain import Domain
from streams.errors import DatasetError
from streams.labelled import LabelledQuestion, read_labelled
from streams.model_side import ModelSide
from streams.settings import Settings


def read_questions(
    paths: Sequence[Path], view: View, settings: Settings, domain: Domain
) -> list[LabelledQuestion]:
    """Every labelled question of the datasets, screenshots read (from the cache where possible).

    Raises:
        DatasetError: malformed, or two examples of one id.
    """
    return asyncio.run(_read(paths, view, settings, domain))


async def _read(
    paths: Sequence[Path], view: View, settings: Settings, domain: Domain
) -> list[LabelledQuestion]:
    # The present time would make the same examples look different tomorrow.
    examples = list(
        map(
            say_notes,
            chain.from_iterable(
                read_examples(path, domain=domain.name, view=view, now_ms=0) for path in paths
            ),
        )
    )
    _refuse_repeated([example.event.event_id for example in examples])
    labelled = []
    with progress(stderr()) as bar:
        line = bar.add_task("reading examples", total=len(examples))
        seen = ""
        async with ModelSide(settings, domain) as side:
            async for question in read_labelled(examples, domain=domain, screens=side.screens):
                labelled.append(question)
                bar.advance(line, advance=question.example_id != seen)
                seen = question.example_id
    return labelled


def _refuse_repeated(ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise DatasetError(f"two examples have the id {each!r}; give each its own event_id")
        seen.add(each)
