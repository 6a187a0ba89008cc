"""A tagger with a defect of our own: it raises on every valid event whose text says so."""

import sys

from streams import cli
from streams.events import DialogueEvent
from streams.pipeline import Pipeline, Tagged

_tag = Pipeline.tag


def tag(self: Pipeline, event: DialogueEvent) -> Tagged:
    if "defect" in event.turns[-1].text:
        raise RuntimeError("a defect of our own")
    return _tag(self, event)


if __name__ == "__main__":
    Pipeline.tag = tag  # type: ignore[method-assign]
    sys.argv[1:1] = ["worker"]
    cli.main()
