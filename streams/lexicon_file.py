"""The `lexicon.toml` of a domain pack: read whole, or refused with all that is wrong with it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rule_store import Lexicon, lexicon_faults
from streams.errors import InvalidDomain
from streams.pack_files import TomlTable, parse_table, read_text

_FAULTS_NAMED = 100
_KEY = r"""(?:([A-Za-z0-9_-]+)|"([^"\\n]+)"|'([^'\n]+)')"""
_HEADER = re.compile(rf"\s*\[\s*concepts\s*(?:\.\s*{_KEY}\s*)?\]\s*(?:#.*)?")
_ENTRY = re.compile(rf"\s*{_KEY}\s*=.*")
_MANY_LINES = ('"""', "'''")


def read_lexicon(path: Path) -> Lexicon:
    """Read a lexicon; without a file there are no concepts.

    Raises:
        InvalidDomain: naming file, line, concept and cure of all that is wrong, one a line.
    """
    if not path.is_file():
        return Lexicon.of({})
    text = read_text(path)
    read = _Concepts()
    table = parse_table(text, path).mapping("concepts")
    for name in table.names:
        read.add(name, table)
    faults = [*read.faults, *_faults_of(read)]
    if faults:
        raise InvalidDomain(_in_words(faults, concept_lines(text), path))
    return Lexicon.of(read.phrases, includes=read.includes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    concept: str
    message: str


@dataclass(slots=True)
class _Concepts:
    """What could be read of the concepts so far, and what could not."""

    phrases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    includes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    faults: list[_Fault] = field(default_factory=list)

    def add(self, name: str, table: TomlTable) -> None:
        self.includes[name] = ()
        if not table.is_table(name):
            self.phrases[name] = self._texts(name, f"concepts.{name}", table.value(name))
            return
        concept = table.mapping(name)
        known = [each for each in ("phrases", "includes") if each in concept.names]
        odd = [each for each in concept.names if each not in known]
        if odd or not known:
            but = f", not {', '.join(odd)}" if odd else ""
            wanted = "phrases = […], or a table of phrases and includes"
            self.faults.append(
                _Fault(concept=name, message=f"concepts.{name} must be {wanted}{but}")
            )
        texts = {
            each: self._texts(name, f"concepts.{name}.{each}", concept.value(each))
            for each in known
        }
        self.phrases[name] = texts.get("phrases", ())
        self.includes[name] = texts.get("includes", ())

    def _texts(self, concept: str, place: str, value: object) -> tuple[str, ...]:
        items = value if isinstance(value, list) else []
        texts = tuple(item for item in items if isinstance(item, str) and item)
        if not items:
            wanted = "a list of strings, at least one"
        elif len(texts) < len(items):
            wanted = "a list of strings, none of them empty"
        else:
            return texts
        self.faults.append(_Fault(concept=concept, message=f"{place} must be {wanted}"))
        return texts


def _faults_of(read: _Concepts) -> Iterator[_Fault]:
    """What is wrong with the concepts as read; those read in part may lack phrases."""
    partly = {fault.concept for fault in read.faults}
    for fault in lexicon_faults(read.phrases, includes=read.includes):
        lacks = not read.phrases[fault.concept] and not read.includes[fault.concept]
        if not (lacks and fault.concept in partly):
            yield _Fault(concept=fault.concept, message=str(fault))


def _in_words(faults: list[_Fault], lines: Mapping[str, int], path: Path) -> str:
    """One line a fault, in order of place; those whose place is not known come last."""
    last = max(lines.values(), default=0) + 1
    placed = sorted(faults, key=lambda fault: lines.get(fault.concept, last))
    named = []
    for each in placed[:_FAULTS_NAMED]:
        line = lines.get(each.concept)
        named.append(f"{path}{'' if line is None else f':{line}'}: {each.message}")
    if unnamed := len(faults) - len(named):
        named.append(f"and {unnamed} more; mend these first")
    return "\n".join(named)


def concept_lines(text: str) -> Mapping[str, int]:
    r"""Concept → the line on which it begins, of a text that is TOML.

    A concept is left out where its line is not certain: written in another way, or in a text
    that also has strings of several lines, which could look like it.

    >>> concept_lines("[concepts]\nrefund = []\n[concepts.money]\nincludes = []")
    {'refund': 2, 'money': 3}
    """
    if any(quotes in text for quotes in _MANY_LINES):
        return {}
    found: list[tuple[str, int]] = []
    inside = False
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.fullmatch(line):
            inside = not any(header.groups())
            found += _named(header, number)
        elif line.lstrip().startswith("["):
            inside = False
        elif inside and (entry := _ENTRY.fullmatch(line)):
            found += _named(entry, number)
    times = Counter(name for name, _ in found)
    return {name: number for name, number in found if times[name] == 1}


def _named(match: re.Match[str], number: int) -> Iterator[tuple[str, int]]:
    yield from ((name, number) for name in match.groups() if name is not None)
