"""The TextMate grammar for editors knows the language as it is."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from rule_store import CHANNELS, FACTS
from rule_store.grammar import KEYWORDS

FILE = Path(__file__).parents[3] / "docs" / "kdsl-rules.tmLanguage.json"


@cache
def patterns() -> list[tuple[re.Pattern[str], str]]:
    grammar = json.loads(FILE.read_text(encoding="utf-8"))
    assert grammar["fileTypes"] == ["rules"]
    return [
        (re.compile(each["match"]), each["name"].removesuffix(".kdsl-rules"))
        for each in grammar["patterns"]
    ]


def coloured(line: str) -> list[tuple[str, str]]:
    """Colour a line as an editor does: the leftmost match, of several the first pattern's."""
    found: list[tuple[str, str]] = []
    at = 0
    while True:
        matches = [(match, name) for each, name in patterns() if (match := each.search(line, at))]
        if not matches:
            return found
        match, name = min(matches, key=lambda pair: pair[0].start())
        found.append((match[0], name))
        at = match.end()


KEYWORD, CONTROL = "keyword.operator", "keyword.control"
CHANNEL, FACT = "variable.language.channel", "variable.language.fact"
TEXT, NAME = "string.quoted.double", "entity.name"


@pytest.mark.parametrize(
    ("line", "colours"),
    [
        (
            'when last has "a \\" # b" then y # c',
            [
                ("when", CONTROL),
                ("last", CHANNEL),
                ("has", KEYWORD),
                ('"a \\" # b"', TEXT),
                ("then", CONTROL),
                ("y", NAME),
                ("# c", "comment.line.number-sign"),
            ],
        ),
        (
            "  and not screen.lines mentions at least 2 of not-a-word",
            [
                ("and", KEYWORD),
                ("not", KEYWORD),
                ("screen.lines", CHANNEL),
                ("mentions", KEYWORD),
                ("at", KEYWORD),
                ("least", KEYWORD),
                ("2", "constant.numeric"),
                ("of", KEYWORD),
                ("not-a-word", NAME),
            ],
        ),
        (
            'example "a", screen.line_count -1.5e3 -> nothing',
            [
                ("example", CONTROL),
                ('"a"', TEXT),
                ("screen.line_count", FACT),
                ("-1.5e3", "constant.numeric"),
                ("->", KEYWORD),
                ("nothing", "constant.language"),
            ],
        ),
        ('has "never ends', [("has", KEYWORD), ('"never ends', "invalid.illegal.unclosed")]),
        (
            "has “ａ”",
            [("has", KEYWORD), *((each, "invalid.illegal.full-width") for each in "“ａ”")],
        ),
    ],
)
def test_a_line_is_coloured(line: str, colours: list[tuple[str, str]]) -> None:
    assert coloured(line) == colours


@pytest.mark.parametrize("word", KEYWORDS)
def test_each_word_of_the_language_is_coloured_as_one(word: str) -> None:
    ((found, name),) = coloured(word)
    assert found == word
    assert name.split(".")[0] in ("keyword", "constant")


@pytest.mark.parametrize("name", [*CHANNELS, *FACTS])
def test_channels_and_facts_are_coloured_whole(name: str) -> None:
    assert coloured(name) == [(name, CHANNEL if name in CHANNELS else FACT)]
