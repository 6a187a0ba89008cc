"""Reading labelled datasets with a progress bar, for the commands that learn from them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import TypeVar

from rule_store.errors import shown
from streams.cli.terminal import progress, say, say_notes, stderr
from streams.datasets import Example, View, is_empty, read_examples
from streams.domain import Domain
from streams.errors import DatasetError
from streams.labelled import (
    LabelledQuestion,
    LeftOut,
    learnable,
    of_other_domain,
    read_each,
    read_labelled,
    told,
)
from streams.model_side import ModelSide
from streams.screens import Screens
from streams.settings import Settings

_LaidOut = TypeVar("_LaidOut")


def read_questions(
    paths: Sequence[Path], view: View, settings: Settings, domain: Domain
) -> list[LabelledQuestion]:
    """Every labelled question of the datasets, screenshots read (from the cache where possible).

    Raises:
        DatasetError: malformed, or two examples of one id.
    """
    examples = _examples(paths, view, domain)
    _refuse_repeated([example.event.event_id for example in examples])

    def read(screens: Screens) -> AsyncIterator[LabelledQuestion]:
        return read_labelled(examples, domain=domain, screens=screens)

    return asyncio.run(_all(read, len(examples), settings, domain))


def read_learnable_questions(
    paths: Sequence[Path], view: View, settings: Settings, domain: Domain
) -> list[LabelledQuestion]:
    """As `read_questions`, but what cannot be learned from is left out, and said.

    Raises:
        DatasetError: a file is no dataset.
    """
    faulty: list[LeftOut] = []

    def note(place: str, fault: DatasetError) -> None:
        faulty.append(LeftOut.of_fault(place, fault))

    examples = _examples(paths, view, domain, note)
    usable, left_out = learnable(examples, domain)

    def read(screens: Screens) -> AsyncIterator[LabelledQuestion | LeftOut]:
        return read_each(usable, domain=domain, screens=screens)

    laid_out = asyncio.run(_all(read, len(usable), settings, domain))
    left_out = (*faulty, *left_out, *(each for each in laid_out if isinstance(each, LeftOut)))
    for sentence in told(left_out):
        say(sentence)
    if of_other_domain(examples, domain):
        say(f"no label of these examples is one of {shown(domain.name)}: is --domain right?")
    return [each for each in laid_out if isinstance(each, LabelledQuestion)]


def say_empty(paths: Sequence[Path]) -> None:
    """Name the files without a line.

    Raises:
        DatasetError: a file is no dataset.
    """
    for path in paths:
        if is_empty(path):
            say(f"{path}: the file is empty; give one with a dialogue on each line")


def _examples(
    paths: Sequence[Path],
    view: View,
    domain: Domain,
    left_out: Callable[[str, DatasetError], None] | None = None,
) -> list[Example]:
    # The present time would make the same examples look different tomorrow.
    datasets = (
        read_examples(path, domain=domain.name, view=view, now_ms=0, left_out=left_out)
        for path in paths
    )
    return list(map(say_notes, chain.from_iterable(datasets)))


async def _all(
    read: Callable[[Screens], AsyncIterator[_LaidOut]],
    count: int,
    settings: Settings,
    domain: Domain,
) -> list[_LaidOut]:
    laid_out = []
    with progress(stderr()) as bar:
        line = bar.add_task("reading examples", total=count)
        async with ModelSide(settings, domain) as side:
            async for each in read(side.screens):
                laid_out.append(each)
                bar.advance(line)
    return laid_out


def _refuse_repeated(ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise DatasetError(f"two examples have the id {each!r}; give each its own event_id")
        seen.add(each)
