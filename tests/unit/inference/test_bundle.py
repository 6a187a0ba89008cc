"""A bundle is what its manifest says, or it is refused by name."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from inference.bundle import (
    MANIFEST,
    OUT_OF_FOLD,
    Bundle,
    BundleTask,
    canonical_json,
    labels_digest,
    load_bundle,
    write_bundle,
)
from inference.errors import InvalidBundle, UnknownTask

TASKS = {
    "intent": BundleTask(
        labels=("b", "a"), graph="intent.onnx", features="intent.json", temperature=1.5
    )
}
ROW = {"example_id": "d1", "task": "intent", "fold": 3, "probabilities": [0.25, 0.75]}


def write(out: Path, **more: bytes) -> Bundle:
    files = {"intent.onnx": b"graph", "intent.json": b"{}"}
    files[OUT_OF_FOLD] = more.pop("rows", canonical_json(ROW) + b"\n")
    return write_bundle(out, recipe="compact", tasks=TASKS, files=files, facts={"seed": 0})


def rewrite(folder: Path, change: dict[str, Any]) -> None:
    """Change the manifest and give it the digest that then belongs to it."""
    manifest = json.loads((folder / MANIFEST).read_bytes()) | change
    del manifest["digest"]
    manifest["digest"] = "sha256:" + hashlib.sha256(canonical_json(manifest)).hexdigest()
    (folder / MANIFEST).write_bytes(canonical_json(manifest))


def test_a_written_bundle_is_read_back(tmp_path: Path) -> None:
    written = write(tmp_path / "bundle")
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle == written
    assert bundle.labels("intent") == ("b", "a")
    assert bundle.temperature("intent") == 1.5
    assert bundle.read("intent.onnx") == b"graph"
    (row,) = bundle.out_of_fold()
    assert (row.example_id, row.task, row.fold, row.probabilities) == (
        "d1",
        "intent",
        3,
        (0.25, 0.75),
    )


def test_equal_content_has_an_equal_digest_wherever_it_lies(tmp_path: Path) -> None:
    assert write(tmp_path / "one").digest == write(tmp_path / "two").digest
    other = write(tmp_path / "three", rows=b"")
    assert other.digest != load_bundle(tmp_path / "one").digest


def test_the_labels_digest_minds_the_order_of_labels_not_of_tasks() -> None:
    assert labels_digest({"t": ["a", "b"]}) != labels_digest({"t": ["b", "a"]})
    assert labels_digest({"s": ["a"], "t": ["b"]}) == labels_digest({"t": ["b"], "s": ["a"]})


def test_an_unknown_task_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownTask, match="scene"):
        write(tmp_path / "bundle").labels("scene")


def test_a_newer_bundle_replaces_an_older_one(tmp_path: Path) -> None:
    write(tmp_path / "bundle")
    assert write(tmp_path / "bundle", rows=b"").out_of_fold() == ()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_folder_with_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InvalidBundle, match="no bundle"):
        write(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle, match=r"holds no manifest\.json"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("content", [b"not json", b"[]", b'{"format":"kdsl-bundle/9"}'])
def test_a_manifest_of_another_format_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(InvalidBundle, match=r"manifest\.json"):
        load_bundle(tmp_path)


def test_an_oversized_manifest_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(b" " * (1 << 20) + b"{}")
    with pytest.raises(InvalidBundle, match="larger than"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"), [(b"grapH", "another SHA-256"), (b"graph and more", "14 bytes")]
)
def test_a_changed_file_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    write(tmp_path)
    (tmp_path / "intent.onnx").write_bytes(content)
    with pytest.raises(InvalidBundle, match=rf"intent\.onnx.*{problem}"):
        load_bundle(tmp_path)


def test_a_file_changed_after_loading_is_not_served(tmp_path: Path) -> None:
    bundle = write(tmp_path)
    (tmp_path / "intent.onnx").write_bytes(b"other")
    with pytest.raises(InvalidBundle, match="SHA-256"):
        bundle.read("intent.onnx")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "intent.onnx").unlink()
    with pytest.raises(InvalidBundle, match=r"intent\.onnx: is missing"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "sub/graph", "..", ""])
def test_a_path_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    write(tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / MANIFEST).read_bytes())
    entry = {"sha256": hashlib.sha256(b"secret").hexdigest(), "bytes": 6}
    rewrite(tmp_path / "bundle", {"files": manifest["files"] | {name: entry}})
    with pytest.raises(InvalidBundle, match="no plain file name"):
        load_bundle(tmp_path / "bundle")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"graph")
    write(tmp_path / "bundle")
    (tmp_path / "bundle" / "intent.onnx").unlink()
    (tmp_path / "bundle" / "intent.onnx").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidBundle, match="no regular file"):
        load_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": {}},
        {"tasks": []},
        {"tasks": {"intent": {"labels": ["b", "a"]}}},
        {"files": {}},
        {"files": {"intent.onnx": {"sha256": "", "bytes": -1}}},
        {"labels_digest": "0" * 64},
        {"recipe": None, "labels_digest": None},
    ],
)
def test_a_manifest_with_a_wrong_part_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    write(tmp_path)
    rewrite(tmp_path, change)
    with pytest.raises(InvalidBundle):
        load_bundle(tmp_path)


def test_a_manifest_that_was_edited_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    edited = (tmp_path / MANIFEST).read_text().replace('"temperature":1.5', '"temperature":9.5')
    (tmp_path / MANIFEST).write_text(edited)
    with pytest.raises(InvalidBundle, match="says digest"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("rows", [b"{}\n", b"nonsense\n", b'{"example_id":"d","task":"x"}\n'])
def test_a_wrong_out_of_fold_row_is_named(tmp_path: Path, rows: bytes) -> None:
    with pytest.raises(InvalidBundle, match=r"out_of_fold\.jsonl: line 1"):
        write(tmp_path, rows=rows).out_of_fold()
