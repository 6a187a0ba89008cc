"""Write the sample files, or check that the committed ones are what this code writes.

Run as `python -m deploy.quickstart.generate [--check] [--out FOLDER]`.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from deploy.quickstart.dialogues import Dialogue, Shot, Split, dialogues
from deploy.quickstart.drawing import draw
from deploy.quickstart.draws import Draws
from deploy.quickstart.page import Page
from deploy.quickstart.png import encode
from deploy.quickstart.screens import PAGES
from deploy.quickstart.wear import worn

HERE: Final = Path(__file__).parent
# Spoken dialogues, shown dialogues and screenshots of each split: 76 screenshots in all.
COUNTS: Final[tuple[tuple[Split, int, int, int], ...]] = (
    ("train", 440, 40, 44),
    ("live", 180, 20, 32),
)
RARE_SHARE: Final = 0.45


def screenshots(split: Split, count: int) -> Iterator[tuple[str, Page, bytes]]:
    """The name, content and file of each screenshot; every kind of page in turn."""
    makers = tuple(PAGES.values())
    for index in range(count):
        draws = Draws(f"{split}/screen/{index}")
        rare = split == "live" and draws.chance(RARE_SHARE)
        page = makers[index % len(makers)](draws, rare=rare)
        yield f"{split}-{index:02}.png", page, encode(worn(draw(page, draws), draws))


def line(dialogue_id: str, task: str, dialogue: Dialogue) -> str:
    fields = {
        "dialogue_id": dialogue_id,
        "task": task,
        "turns": [{"speaker": speaker, "text": text} for speaker, text in dialogue.turns],
        "images": list(dialogue.images),
        "label": dialogue.label,
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"


def split_files(split: Split, counts: tuple[int, int, int], taken: set[str]) -> dict[str, bytes]:
    """The files of one split by name."""
    spoken, shown, shot_count = counts
    files, shots, scenes = {}, [], []
    for name, page, content in screenshots(split, shot_count):
        files[f"images/{name}"] = content
        shots.append(Shot(name=name, intent=page.intent))
        scenes.append(Dialogue(turns=(), images=(name,), label=page.scene))
    said = dialogues(split, spoken_count=spoken, shown_count=shown, shots=shots, taken=taken)
    lines = [line(f"{split}-{at:03}", "intent", dialogue) for at, dialogue in enumerate(said)]
    # A screenshot without words after every few dialogues, as they come in a real queue.
    every = len(lines) // shot_count
    for at, scene in reversed(tuple(enumerate(scenes))):
        lines.insert((at + 1) * every, line(f"{split}-screen-{at:02}", "scene", scene))
    files[f"{split}.jsonl"] = "".join(lines).encode()
    return files


def sample_files() -> dict[str, bytes]:
    """Every file of the sample by its name relative to the sample's folder."""
    taken: set[str] = set()
    files: dict[str, bytes] = {}
    for split, *counts in COUNTS:
        files |= split_files(split, (counts[0], counts[1], counts[2]), taken)
    return files


def differences(files: dict[str, bytes], folder: Path) -> list[str]:
    """What is missing, stale or left over in the folder."""
    found = {path.relative_to(folder).as_posix() for path in folder.glob("images/*")}
    found |= {path.name for path in folder.glob("*.jsonl")}
    left_over = [
        f"{name}: not part of the sample, remove it" for name in sorted(found - files.keys())
    ]
    missing = [f"{name}: missing" for name in files if name not in found]
    stale = [
        f"{name}: differs from what the code writes"
        for name, content in files.items()
        if name in found and (folder / name).read_bytes() != content
    ]
    return left_over + missing + stale


def write(files: dict[str, bytes], folder: Path) -> None:
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns: the exit status, 1 when `--check` found differences."""
    parser = argparse.ArgumentParser(description="Make the sample dialogues and screenshots.")
    parser.add_argument("--check", action="store_true", help="write nothing; compare")
    parser.add_argument("--out", type=Path, default=HERE, help="the sample's folder")
    chosen = parser.parse_args(arguments)
    files = sample_files()
    if chosen.check:
        found = differences(files, chosen.out)
        cure = ["run: python -m deploy.quickstart.generate"] if found else []
        sys.stdout.writelines(f"{each}\n" for each in [*found, *cure])
        return 1 if found else 0
    write(files, chosen.out)
    size = sum(map(len, files.values()))
    sys.stdout.write(f"{len(files)} files, {size:,} bytes in {chosen.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
