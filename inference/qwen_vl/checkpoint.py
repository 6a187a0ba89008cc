"""A local checkpoint folder: what family it is of, and a digest of what it holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from inference.qwen_vl.errors import UnusableCheckpoint
from inference.qwen_vl.geometry import FAMILIES

CONFIG = "config.json"
WEIGHTS = "*.safetensors"


def unusable(path: Path | str, problem: str) -> UnusableCheckpoint:
    """The error that says what is wrong with a checkpoint folder, and the cure."""
    return UnusableCheckpoint(
        f"{path}: {problem}; name the folder of a Qwen2-VL, Qwen2.5-VL or Qwen3-VL checkpoint"
    )


def required_file(folder: Path, name: str) -> bytes:
    """The content of a file that every checkpoint has.

    Raises:
        UnusableCheckpoint: the folder has none.
    """
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise unusable(folder, f"holds no {name}") from error


def checkpoint_family(folder: Path) -> str:
    """The family a checkpoint's `config.json` names.

    Raises:
        UnusableCheckpoint: the folder is none, or of another family.
    """
    try:
        family = json.loads(required_file(folder, CONFIG))["model_type"]
    except (KeyError, TypeError, ValueError) as error:
        raise unusable(folder / CONFIG, f"names no family ({error!r})") from error
    if family not in FAMILIES:
        raise unusable(folder, f"is of family {family!r}")
    if not any(folder.glob(WEIGHTS)):
        raise unusable(folder, f"holds no weights ({WEIGHTS})")
    return str(family)


def checkpoint_digest(folder: Path) -> str:
    """Hex SHA-256 of the names and contents of configuration, tokenizer and weights."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.json"), *folder.glob(WEIGHTS)]):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.name}:{content}\n".encode())
    return digest.hexdigest()
