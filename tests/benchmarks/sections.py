"""Sections of a page that a benchmark writes, each between markers of its own."""

from __future__ import annotations

from pathlib import Path


def put_section(path: Path, *, name: str, text: str) -> None:
    """Replace what stands between a section's markers; where there are none, add both at the end.

    Args:
        path: of the page; made when it does not exist.
        name: of the section, as its markers name it.
        text: Markdown.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    section = f"{begin}\n{text.strip()}\n{end}"
    whole = before + section + after if found and closed else f"{page.rstrip()}\n\n{section}\n"
    path.write_text(whole.lstrip("\n"), encoding="utf-8")
