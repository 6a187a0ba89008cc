"""The grammar of `.rules` texts: text → statements, each parsed for itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache, partial
from typing import cast
from unicodedata import normalize

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken

from rule_store.errors import Place, RuleSyntaxError, shown
from rule_store.evidence import CHANNELS, FACTS
from rule_store.faults import Faults

TEXT_CHARS = 8 * 1024 * 1024
KEYWORDS = (
    *("when", "example"),
    *("and", "not", "has", "line", "mentions", "at", "least", "of", "below"),
    *("then", "note", "nothing"),
)

STARTERS = ("WHEN", "EXAMPLE")
"""Types of the tokens that begin a statement, wherever they stand."""

# Each terminal matches in one pass: what may go on never also ends it, so nothing is given back.
# The last three catch what belongs to no rule, so that reading goes on behind it.
_GRAMMAR = r"""
start: rule | example

rule: WHEN _literal ("and" _literal)* "then" _name ["note" STRING]
_literal: has | line | mentions | reaches | below
has: [NOT] _measured "has" STRING
line: [NOT] _measured "has" "line" STRING
mentions: [NOT] _measured "mentions" ["at" "least" NUMBER "of"] _name
reaches: [NOT] _measured "at" "least" NUMBER
below: _measured "below" NUMBER

example: EXAMPLE (said | _part) ("," _part)* "->" (_name | NOTHING)
said: STRING
_part: texts | fact
texts: _measured STRING*
fact: _measured NUMBER

_measured: NAME | DOTTED
_name: NAME | STRING

WHEN: "when"
EXAMPLE: "example"
NOT: "not"
NOTHING: "nothing"
ARROW: "->"
NAME: /[A-Za-z_][\w-]*+/
DOTTED.2: /[A-Za-z_][\w-]*+(?:\.[A-Za-z_][\w-]*+)++/
NUMBER: /[+-]?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+/
STRING: /"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"/
COMMENT: /#[^\n]*+/
%ignore /[\s\ufeff]++/

UNCLOSED.-1: /"[^\n]*+/
MISQUOTED.-1: /['‘’“”„‟＂「」『』«»][^\n"'‘’“”„‟＂「」『』«»]*+['’”‟＂」』»]/
ODD.-2: /[^\s\ufeff\x00-\x7f]++|[<>=]++|[^\s]/
"""
_SHOWN_CHARS = 20
_QUOTES = frozenset("'‘’“”„‟＂「」『』«»")

Node = Tree[Token]


@cache
def _lexer() -> Lark:
    return Lark(_GRAMMAR, parser=None, lexer="basic")


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic")


def tokens_of(text: str, origin: str, faults: Faults) -> Iterator[Token]:
    """Cut a text into tokens, comments among them; what is no token is a fault."""
    if len(text) > TEXT_CHARS:
        place = Place(origin=origin, line=1, column=1)
        fault = f"{len(text)} characters are more than the {TEXT_CHARS} allowed; split the rules"
        faults.tell(partial(_syntax_error, place, fault))
        return
    for token in _lexer().lex(text):
        if token.type in ("UNCLOSED", "MISQUOTED", "ODD"):
            faults.tell(partial(_unlexed, token, origin))
        yield token


def statements(tokens: Iterable[Token], origin: str, faults: Faults) -> Iterator[Node]:
    """Cut tokens where a reserved word begins a statement; give the trees of those that parse."""
    tell = partial(_tell, origin, faults)
    broken_off: Token | None = None
    for words, following in _cut(token for token in tokens if token.type != "COMMENT"):
        tree, broken_off = _parse(words, following, broken_off, tell)
        if tree is not None:
            yield tree


def _cut(tokens: Iterable[Token]) -> Iterator[tuple[list[Token], Token | None]]:
    """Give the tokens of each statement, and the one that begins the next."""
    gathered: list[Token] = []
    for token in tokens:
        if gathered and token.type in STARTERS:
            yield gathered, token
            gathered = []
        gathered.append(token)
    if gathered:
        yield gathered, None


def _parse(
    tokens: list[Token],
    following: Token | None,
    broken_off: Token | None,
    tell: Callable[[Token, UnexpectedToken, Token], None],
) -> tuple[Node | None, Token | None]:
    """Parse one statement, given what begins the next and where the one before broke off.

    Returns its tree, and where it broke off.
    """
    parser = _parser().parse_interactive()
    for token in (*map(_mended, tokens), Token.new_borrow_pos("$END", "", tokens[-1])):
        if token.type in ("UNCLOSED", "ODD"):
            return None, None  # a fault already
        try:
            tree = parser.feed_token(token)
        except UnexpectedToken as error:
            error.interactive_parser = parser
            found = following if token.type == "$END" and following is not None else token
            # A lone `when` where a name should stand is one fault, not two.
            if not (len(tokens) == 1 and tokens[0] is broken_off):
                tell(found, error, tokens[-1])
            return None, found
    return cast(Node, tree.children[0]), None


def _tell(origin: str, faults: Faults, found: Token, error: UnexpectedToken, last: Token) -> None:
    # What begins on a later line is the next statement: something lacks before it.
    begins = found.type in STARTERS and (found.line or 1) > (last.line or 1)
    make = partial(_broken_off, last) if begins else _unexpected
    faults.tell(partial(make, found, error, origin))


def _broken_off(last: Token, found: Token, error: UnexpectedToken, origin: str) -> RuleSyntaxError:
    """Say what lacks behind the last token of a statement."""
    in_words = _in_words(error.accepts or error.expected)
    expected = ("a label",) if last.type in ("THEN", "ARROW") else in_words
    behind = Place(origin=origin, line=last.end_line or 1, column=last.end_column or 1)
    what = f"{' or '.join(expected)} after {shown(_said(last))}"
    following = "rule" if found.type == "WHEN" else "example"
    return _syntax_error(behind, f"expected {what}, but the next {following} begins", expected)


def _said(token: Token) -> str:
    return token[1:-1] if token.type == "STRING" else token


def _mended(token: Token) -> Token:
    """Take a text in the wrong quotes for the text that was meant; it is a fault already."""
    if token.type != "MISQUOTED":
        return token
    return Token.new_borrow_pos("STRING", json.dumps(token[1:-1], ensure_ascii=False), token)


def place_of(token: Token, origin: str) -> Place:
    """Where a token begins."""
    return Place(origin=origin, line=token.line or 1, column=token.column or 1)


def _unlexed(token: Token, origin: str) -> RuleSyntaxError:
    """Say how to write what is no part of the language."""
    place = place_of(token, origin)
    if token.type == "UNCLOSED":
        return _syntax_error(place, 'a text begins here and never ends; close it with "')
    # Cut first: NFKC takes quadratic time for a run of combining marks.
    plain = normalize("NFKC", token[:_SHOWN_CHARS]).replace("→", "->")
    if not _QUOTES.isdisjoint(token):
        cure = 'texts and odd names stand in plain quotes: "…"'
    elif plain[0] in "<>=≤≥":
        cure = 'numbers are compared by "at least" and "below"'
    elif plain != token[:_SHOWN_CHARS] and plain.isascii() and plain.isprintable():
        cure = f"write it in plain characters: {plain}"
    else:
        cure = 'texts and odd names stand in "…", comments begin with #'
    return _syntax_error(place, f"unexpected {shown(token)}; {cure}")


def _unexpected(token: Token, error: UnexpectedToken, origin: str) -> RuleSyntaxError:
    """Say what could have stood in a token's place."""
    accepted = error.accepts or error.expected
    expected = _in_words(accepted)
    found = "the text ends" if token.type == "$END" else f"found {shown(_said(token))}"
    cure = ""
    if _said(token) == "or":
        cure = "; write a rule for each"
    elif token in KEYWORDS and "NAME" in accepted and "DOTTED" not in accepted:
        cure = "; a name that is a word of the language stands in quotes"
    message = f"expected {' or '.join(expected)}, but {found}{cure}"
    return _syntax_error(place_of(token, origin), message, expected)


_WORDS = {
    "AT": '"at least"',
    "LEAST": '"least"',
    "ARROW": '"->"',
    "COMMA": '","',
    "NUMBER": "a number",
    "$END": "the next rule",
}


def _in_words(terminals: Collection[str]) -> tuple[str, ...]:
    """Name the terminals that could stand here as an author knows them.

    >>> _in_words({"NAME", "STRING"}), _in_words({"STRING", "$END"})
    (('a name or "text"',), ('a "text"', 'the next rule'))
    """
    words = {f'"{word}"' for word in KEYWORDS if word.upper() in terminals}
    words -= {'"at"', '"least"'}
    words |= {word for terminal, word in _WORDS.items() if terminal in terminals}
    if "DOTTED" in terminals:
        words.add(f"a channel ({', '.join(CHANNELS[:5])}, …) or fact ({', '.join(FACTS[:2])}, …)")
    if "NAME" in terminals and "DOTTED" not in terminals:
        words.add('a name or "text"')
    elif "STRING" in terminals:
        words.add('a "text"')
    return tuple(sorted(words))


def _syntax_error(place: Place, message: str, expected: tuple[str, ...] = ()) -> RuleSyntaxError:
    return RuleSyntaxError(
        origin=place.origin,
        line=place.line,
        column=place.column,
        expected=expected,
        message=message,
    )


def bad_escape(token: Token, origin: str) -> RuleSyntaxError:
    """Refuse a quoted text that says something impossible with a backslash."""
    return _syntax_error(
        place_of(token, origin),
        r"a quoted text with an unknown escape; write \\ for a backslash, \" for a quote",
    )
