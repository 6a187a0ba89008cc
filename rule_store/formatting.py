"""The canonical lay-out of `.rules` texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lark import Token

from rule_store.faults import Faults
from rule_store.grammar import STARTERS, statements, tokens_of

WIDTH_CHARS = 100
_INDENT = "  "
_BREAKS = ("AND", "THEN", "NOTE", "ARROW")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A statement, or a comment on a line of its own.

    line, end_line: where it began and ended in the text.
    """

    lines: tuple[str, ...]
    line: int
    end_line: int
    is_example: bool = False


def format_rules(text: str, *, origin: str = "<text>") -> str:
    r"""Lay out a text as all are laid out; what it says, and its comments, stay.

    A statement that fits stands on one line, else it is broken before `and`, `then` and `note`.
    Comments inside a statement move above it. Of blank lines one is kept; none parts an example
    from what stands above it.

    >>> print(format_rules('when last has "x"  # why\nthen y example "x"->y'), end="")
    # why
    when last has "x" then y
    example "x" -> y

    Raises:
        RulesTextRefused: the text does not follow the grammar.
    """
    faults = Faults()
    tokens = list(tokens_of(text, origin, faults))
    for _ in statements(tokens, origin, faults):
        pass
    faults.refuse()
    return "".join(f"{line}\n" for line in _lines(_items(tokens)))


def _lines(items: Iterable[_Item]) -> Iterator[str]:
    above: _Item | None = None
    for item in items:
        if above is not None and item.line - above.end_line > 1 and not item.is_example:
            yield ""
        yield from item.lines
        above = item


def _items(tokens: Iterable[Token]) -> Iterator[_Item]:
    """Gather tokens into statements, each with the comments up to the next."""
    gathered: list[Token] = []
    for token in tokens:
        if gathered and token.type in STARTERS:
            yield from _gathered(gathered)
            gathered = []
        gathered.append(token)
    yield from _gathered(gathered)


def _gathered(tokens: list[Token]) -> Iterator[_Item]:
    words = [token for token in tokens if token.type != "COMMENT"]
    comments = [token for token in tokens if token.type == "COMMENT"]
    if words:
        first, last = words[0], words[-1]
        inside = [each for each in comments if _start(each) < _start(last)]
        for comment in inside:
            yield _Item(lines=(_said(comment),), line=_line(first), end_line=_line(first))
        comments = comments[len(inside) :]
        yield _statement(words, comments[0] if comments else None)
        if comments and _line(comments[0]) == _line(last):
            del comments[0]
    for comment in comments:
        yield _Item(lines=(_said(comment),), line=_line(comment), end_line=_line(comment))


def _statement(words: list[Token], following: Token | None) -> _Item:
    first, last = words[0], words[-1]
    lines = _broken(_pieces(words))
    if following is not None and _line(following) == _line(last):
        lines[-1] += f"  {_said(following)}"
    return _Item(
        lines=tuple(lines),
        line=_line(first),
        end_line=_line(last),
        is_example=first.type == "EXAMPLE",
    )


def _pieces(words: list[Token]) -> list[str]:
    """Join the words of a statement to what may stand on a line of its own."""
    pieces: list[list[str]] = []
    for word in words:
        if word.type == "COMMA":
            pieces[-1][-1] += ","
        elif not pieces or word.type in _BREAKS or pieces[-1][-1].endswith(","):
            pieces.append([word])
        else:
            pieces[-1].append(word)
    return [" ".join(piece) for piece in pieces]


def _broken(pieces: list[str]) -> list[str]:
    """Break where needed; a note alone may be what does not fit."""
    for lines in (
        [" ".join(pieces)],
        [" ".join(pieces[:-1]), f"{_INDENT}{pieces[-1]}"],
    ):
        if all(len(line) <= WIDTH_CHARS for line in lines):
            return lines
    return [pieces[0], *(f"{_INDENT}{piece}" for piece in pieces[1:])]


def _said(comment: Token) -> str:
    return comment.rstrip()


def _line(token: Token) -> int:
    return token.line or 1


def _start(token: Token) -> int:
    return token.start_pos or 0
