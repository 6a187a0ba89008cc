"""Tables of the pages that mining writes; every text in them is escaped."""

from collections.abc import Iterable
from html import escape


def cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def number(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>'


def code(text: str) -> str:
    return f"<td><code>{escape(text)}</code></td>"


def facts_table(rows: Iterable[tuple[str, str]]) -> str:
    """A line for each fact: its name, and its cell."""
    lines = "\n".join(f"<tr><th>{escape(name)}</th>{value}</tr>" for name, value in rows)
    return f"<table>\n{lines}\n</table>"


def list_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A line for each row of cells, below their names."""
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f"<table>\n<tr>{names}</tr>\n{lines}\n</table>"


def bullets(sentences: Iterable[str]) -> str:
    """A list; nothing for no sentence."""
    lines = "".join(f"<li>{escape(each)}</li>\n" for each in sentences)
    return f"<ul>\n{lines}</ul>" if lines else ""
