"""What a refresh learns from: the registry's examples beside those of files."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rule_store.registry import LabelledExample
from streams.domain import Domain
from streams.labelled import LabelledQuestion

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What of the registry is to be read beside the files.

    lines: of a dataset, as the registry keeps them.
    contradicted: ids of examples that the registry labels otherwise than the files do.
    notes: what is left out and what to do about it, a sentence each.
    """

    lines: tuple[bytes, ...]
    contradicted: frozenset[str]
    notes: tuple[str, ...]


def choose_stored(
    rows: Iterable[LabelledExample], given: Sequence[LabelledQuestion], domain: Domain
) -> Stored:
    """Leave out what files give too, and what cannot be learned from.

    Args:
        rows: of the registry.
        given: what was read from files.
        domain: whose labels count.
    """
    labels = {(each.example_id, each.question.task): each.label for each in given}
    lines: list[bytes] = []
    left_out: dict[str, list[str]] = {"contradicted": [], "imaged": [], "unknown": []}
    for row in rows:
        fields = json.loads(row.line)
        label = labels.get((row.example_id, str(fields.get("task"))))
        if label is not None:
            if label not in row.labels:
                left_out["contradicted"].append(row.example_id)
        elif not _is_known(fields, row.labels, domain):
            left_out["unknown"].append(row.example_id)
        elif fields.get("images"):
            left_out["imaged"].append(row.example_id)
        else:
            lines.append(row.line)
    return Stored(
        lines=tuple(lines),
        contradicted=frozenset(left_out["contradicted"]),
        notes=tuple(_SAID[why].format(_named(ids)) for why, ids in left_out.items() if ids),
    )


@contextmanager
def as_dataset(lines: Iterable[bytes]) -> Iterator[Path]:
    """A dataset of these lines, while the context lasts."""
    with TemporaryDirectory(prefix="kdsl-refresh-") as folder:
        file = Path(folder) / "registry.jsonl"
        file.write_bytes(b"".join(line + b"\n" for line in lines))
        yield file


_SAID = {
    "contradicted": "another label in --examples than in the registry: {}; left out of both: "
    "correct one of them",
    "imaged": "images of which the registry has only the names: {}; left out: give their dataset "
    "with --examples",
    "unknown": "labels of the registry that the pack does not know: {}; left out: add them to the "
    "pack, or remove the examples with `kdsl examples remove`",
}


def _is_known(fields: Mapping[str, object], labels: Sequence[str], domain: Domain) -> bool:
    names = domain.labels.get(str(fields.get("task")), ())
    return all(label in names for label in labels)


def _named(ids: Sequence[str]) -> str:
    """How many examples, and which come first.

    >>> _named(["d1"]), _named(["d1", "d2"])
    ("1 example ('d1')", "2 examples ('d1', 'd2')")
    """
    shown = ", ".join(map(repr, ids[:_NAMED])) + (", …" if len(ids) > _NAMED else "")
    return f"{len(ids)} example{'s' if len(ids) > 1 else ''} ({shown})"
