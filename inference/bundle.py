"""A model directory: graphs, features, labels, temperatures, and a manifest that covers them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.errors import InvalidBundle, UnknownTask

FORMAT = "kdsl-bundle/1"
MANIFEST = "manifest.json"
OUT_OF_FOLD = "out_of_fold.jsonl"
MANIFEST_BYTES = 1 << 20
FILE_BYTES = 1 << 30
FILES = 256
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
TASK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleTask:
    """How a bundle answers one task; `graph` and `features` are file names in its folder."""

    labels: tuple[str, ...]
    graph: str
    features: str
    temperature: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """What a model that did not learn from an example says of it, calibrated, in label order."""

    example_id: str
    task: str
    fold: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A verified bundle folder.

    digest: `sha256:<hex>` of the canonical manifest, which holds every file's SHA-256.
    files: name → (hex SHA-256, size in bytes).
    """

    path: Path
    recipe: str
    tasks: Mapping[str, BundleTask]
    labels_digest: str
    digest: str
    files: Mapping[str, tuple[str, int]]

    def task(self, task: str) -> BundleTask:
        if task not in self.tasks:
            raise UnknownTask(task, tuple(self.tasks))
        return self.tasks[task]

    def labels(self, task: str) -> tuple[str, ...]:
        return self.task(task).labels

    def temperature(self, task: str) -> float:
        return self.task(task).temperature

    def read(self, name: str) -> bytes:
        """A file's bytes, verified now: what is served is what was checked."""
        if name not in self.files:
            raise InvalidBundle(self.path / name, "is not in the manifest")
        return _verified(self.path, name, *self.files[name])

    def out_of_fold(self) -> tuple[OutOfFold, ...]:
        """The held-out probabilities of the examples the bundle was trained with."""
        if OUT_OF_FOLD not in self.files:
            return ()
        rows = []
        for number, line in enumerate(self.read(OUT_OF_FOLD).splitlines(), start=1):
            try:
                fields = json.loads(line)
                row = OutOfFold(
                    example_id=str(fields["example_id"]),
                    task=str(fields["task"]),
                    fold=int(fields["fold"]),
                    probabilities=tuple(float(p) for p in fields["probabilities"]),
                )
                if len(row.probabilities) != len(self.labels(row.task)):
                    raise ValueError("a probability for each label")
            except (KeyError, TypeError, ValueError, UnknownTask) as error:
                where = self.path / OUT_OF_FOLD
                raise InvalidBundle(where, f"line {number} is not a row ({error})") from error
            rows.append(row)
        return tuple(rows)


def canonical_json(value: object) -> bytes:
    """Equal values, equal bytes: sorted keys, no whitespace, UTF-8.

    >>> canonical_json({"b": 1, "a": ["é"]}).decode()
    '{"a":["é"],"b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def labels_digest(labels: Mapping[str, Sequence[str]]) -> str:
    """Hex SHA-256 of the canonical JSON map task → ordered labels.

    >>> labels_digest({"intent": ["a"]}) == hashlib.sha256(b'{"intent":["a"]}').hexdigest()
    True
    """
    return hashlib.sha256(
        canonical_json({t: list(names) for t, names in labels.items()})
    ).hexdigest()


def load_bundle(path: Path | str) -> Bundle:
    """Read a bundle's manifest and verify every file it names.

    Raises:
        InvalidBundle: names the file, what is wrong with it and the cure.
    """
    folder = Path(path)
    where = folder / MANIFEST
    if not where.is_file():
        raise InvalidBundle(
            folder, f"holds no {MANIFEST}", cure="name the folder `kdsl model train --out` wrote"
        )
    if where.stat().st_size > MANIFEST_BYTES:
        raise InvalidBundle(where, f"is larger than {MANIFEST_BYTES} bytes")
    try:
        manifest = json.loads(where.read_bytes())
    except ValueError as error:
        raise InvalidBundle(where, f"is not JSON ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise InvalidBundle(
            where,
            f"has format {found!r}, not {FORMAT!r}",
            cure="use a kdsl that writes this format",
        )
    try:
        bundle = _bundle(folder, manifest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidBundle(where, f"is incomplete or wrong ({error!r})") from error
    _check(bundle, str(manifest.get("digest")), where)
    return bundle


def write_bundle(
    out: Path,
    *,
    recipe: str,
    tasks: Mapping[str, BundleTask],
    files: Mapping[str, bytes],
    facts: Mapping[str, object],
) -> Bundle:
    """Write a bundle folder, all or nothing; an older bundle at `out` is replaced.

    Args:
        out: the folder; it must not exist, be empty, or be a bundle.
        recipe: which code turns a question into the graphs' input.
        tasks: how each task is answered.
        files: name → content, of the graphs and features the tasks name, and others.
        facts: more for the manifest, such as seed and figures; part of the digest.

    Raises:
        InvalidBundle: `out` holds something else.
    """
    if out.exists() and not (out / MANIFEST).is_file() and any(out.iterdir()):
        cure = "name a new or an empty folder"
        raise InvalidBundle(out, "holds files and is no bundle", cure=cure)
    manifest: dict[str, Any] = {
        **facts,
        "format": FORMAT,
        "recipe": recipe,
        "labels_digest": labels_digest({name: task.labels for name, task in tasks.items()}),
        "tasks": {
            name: {
                "labels": list(task.labels),
                "graph": task.graph,
                "features": task.features,
                "temperature": task.temperature,
            }
            for name, task in tasks.items()
        },
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
    }
    manifest["digest"] = _digest(manifest)
    new = out.with_name(f".{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for name, content in files.items():
        (new / name).write_bytes(content)
    (new / MANIFEST).write_bytes(canonical_json(manifest) + b"\n")
    if out.exists():
        shutil.rmtree(out)
    new.rename(out)
    return load_bundle(out)


def _digest(manifest: Mapping[str, Any]) -> str:
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return "sha256:" + hashlib.sha256(canonical_json(content)).hexdigest()


def _bundle(folder: Path, manifest: Mapping[str, Any]) -> Bundle:
    tasks = {
        name: BundleTask(
            labels=tuple(str(label) for label in task["labels"]),
            graph=str(task["graph"]),
            features=str(task["features"]),
            temperature=float(task["temperature"]),
        )
        for name, task in manifest["tasks"].items()
    }
    return Bundle(
        path=folder,
        recipe=str(manifest["recipe"]),
        tasks=tasks,
        labels_digest=str(manifest["labels_digest"]),
        digest=_digest(manifest),
        files={
            name: (str(file["sha256"]), int(file["bytes"]))
            for name, file in manifest["files"].items()
        },
    )


def _check(bundle: Bundle, digest: str, where: Path) -> None:
    if digest != bundle.digest:
        raise InvalidBundle(where, f"says digest {digest}, its content has {bundle.digest}")
    labels = {name: task.labels for name, task in bundle.tasks.items()}
    if not labels or bundle.labels_digest != labels_digest(labels):
        raise InvalidBundle(where, "has a labels digest that is not of its labels")
    if len(bundle.files) > FILES:
        raise InvalidBundle(where, f"names more than {FILES} files")
    for name, task in bundle.tasks.items():
        if not 0 < task.temperature < float("inf"):
            raise InvalidBundle(where, f"task {name} has temperature {task.temperature}")
        if len(task.labels) == 0 or len(set(task.labels)) != len(task.labels):
            raise InvalidBundle(where, f"task {name} has no labels, or one twice")
        for file in (task.graph, task.features):
            if file not in bundle.files:
                raise InvalidBundle(where, f"task {name} needs {file}, which is not in `files`")
    for name, (sha256, size_bytes) in bundle.files.items():
        _verified(bundle.path, name, sha256, size_bytes)


def _verified(folder: Path, name: str, sha256: str, size_bytes: int) -> bytes:
    where = folder / name
    if not NAME.fullmatch(name):
        raise InvalidBundle(folder / MANIFEST, f"names {name!r}, which is no plain file name")
    if where.is_symlink() or not where.is_file():
        raise InvalidBundle(where, "is missing or no regular file")
    found_bytes = where.stat().st_size
    if not 0 <= size_bytes <= FILE_BYTES or found_bytes != size_bytes:
        raise InvalidBundle(where, f"has {found_bytes} bytes, the manifest says {size_bytes}")
    content = where.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidBundle(where, "has another SHA-256 than the manifest says")
    return content
