"""Reading the words of an option that has a closed set of them."""

import typer

from streams.datasets import VIEWS, View


def one_view(word: str | None, *, default: View) -> View:
    if word is None:
        return default
    for view in VIEWS:
        if word == view:
            return view
    raise typer.BadParameter(f"--view must be one of {', '.join(VIEWS)}")
