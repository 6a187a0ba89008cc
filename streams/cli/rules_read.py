"""How the commands of `kdsl rules` find the rules they are about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from streams.domain import Domain, load_domain, pack_folder
from streams.rule_files import RulesFile, read_rules_files
from streams.settings import load_settings

RulesPaths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH",
        help="Files named <task>.rules, or folders of them. (default: the pack's own)",
        show_default=False,
    ),
]


def read_rules_at(
    paths: Sequence[Path] | None, domain: str | None, *, names_checked: bool = True
) -> tuple[Domain, tuple[RulesFile, ...]]:
    """The pack, and the rules that were named or else its own.

    Raises:
        InvalidDomain: malformed, or no rules there.
        RuleStoreError: what is wrong with the rules, with all places.
    """
    settings = load_settings({"domain": domain})
    pack = load_domain(settings.domain)
    named = tuple(paths or [pack_folder(settings.domain)])
    return pack, read_rules_files(named, pack, names_checked=names_checked)
