"""`kdsl release`: make a key, build, show and activate releases."""

import asyncio
import getpass
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from inference.bundle import load_bundle
from rule_store import (
    Release,
    Signed,
    TrustStore,
    canonical_bytes,
    digest,
    load_key,
    print_literal,
    public_path,
    read_release,
    sign,
    signed_from_bytes,
    signed_to_bytes,
)
from rule_store import (
    new_key as make_key,
)
from streams.building import F1_GIVEN_UP, build_release, folder_rules, pack_rules
from streams.cli.choices import one_view
from streams.cli.labelled import read_questions
from streams.cli.options import (
    Bootstrap,
    BundleOption,
    DomainName,
    Prefix,
    ReadingsOption,
    ViewOption,
)
from streams.cli.readings import choose_readings
from streams.cli.terminal import say, stdout
from streams.domain import load_domain
from streams.errors import InvalidSettings, ReleaseRefused
from streams.labelled import LabelledQuestion
from streams.publishing import publish_and_activate
from streams.role import system_now_ms
from streams.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Build, sign, show and activate releases of rules.")

KeyOption = Annotated[
    Path | None, typer.Option("--key", help="Private key (PEM) to sign with; see `release key`.")
]


@app.command("key")
def key(
    out: Annotated[Path, typer.Option(help="Where to write the private key.")],
) -> None:
    """Make a key to sign with, and beside it the public key for the workers' trust store."""
    out.parent.mkdir(parents=True, exist_ok=True)
    make_key(out)
    say(f"private key {out}; give workers the public key: --trust {public_path(out)}")


@app.command("build")
def build(
    out: Annotated[Path, typer.Option(help="The release file to write.")],
    domain: DomainName = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="Folder of <task>.rules that replace the pack's, as mined or written."),
    ] = None,
    bundle: BundleOption = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option(help="What the bundle was trained with: λ and thresholds are fitted on it."),
    ] = None,
    view: ViewOption = None,
    readings: ReadingsOption = None,
    key: KeyOption = None,
) -> None:
    """Put rules, lexicon, reliabilities and weights together into one signed file.

    With --bundle and --examples λ and the thresholds are fitted on the bundle's out-of-fold
    answers; without, they are documented defaults. Same input, same digest.
    """
    settings = load_settings({"domain": domain, "bundle": bundle})
    pack = load_domain(settings.domain)
    sources = pack_rules(pack) | (folder_rules(rules, pack) if rules else {})
    if settings.bundle is None and not examples:
        release = build_release(pack, sources)
    elif settings.bundle is None or not examples:
        raise InvalidSettings("fitting needs both: give --bundle and --examples, or neither")
    else:
        chosen = choose_readings(readings, examples, settings)
        seen = one_view(view, default="live")
        reading = replace(settings, readings=chosen, bundle=None)
        labelled: list[LabelledQuestion] = read_questions(examples, seen, reading, pack)
        release = build_release(
            pack,
            sources,
            bundle=load_bundle(settings.bundle),
            labelled=labelled,
            settings={"view": seen, "readings": chosen, "f1_given_up": F1_GIVEN_UP},
        )
    content = canonical_bytes(release)
    signed = (
        sign(content, load_key(key), "release") if key else Signed(content=content, signatures=())
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(signed_to_bytes(signed))
    say(f"release {digest(content)} in {out}{'' if key else ' (unsigned)'}")
    _print(release)


@app.command("show")
def show(
    file: Annotated[Path, typer.Argument(help="A release file.")],
    rules: Annotated[
        bool, typer.Option("--rules", help="Also every rule with its id and reliability.")
    ] = False,
) -> None:
    """Show what a release holds."""
    signed = _read(file)
    release = read_release(signed.content)
    say(f"release {digest(signed.content)} for {release.domain}")
    say("signed by " + (", ".join(each.key_id for each in signed.signatures) or "nobody"))
    say(f"fitted with bundle {release.bundle}" if release.bundle else "fitted with no bundle")
    _print(release)
    if rules:
        _print_rules(release)


@app.command("activate")
def activate(
    file: Annotated[Path, typer.Argument(help="A release file, as `release build` writes it.")],
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    key: KeyOption = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            help="Public keys beside your own whose releases count, as the workers' trust."
        ),
    ] = None,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Activate without signing; for experiments.")
    ] = False,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Activate although only other keys have so far.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="Who activates. (default: your login)")] = None,
) -> None:
    """Publish a release and point the running workers at it; no restart is needed."""
    settings = load_settings({"bootstrap": bootstrap, "prefix": prefix})
    if key is None and not allow_unsigned:
        raise InvalidSettings(
            "sign the activation with --key (see `kdsl release key`), or send it unsigned with "
            "--allow-unsigned, for workers that obey anybody"
        )
    activation = asyncio.run(
        publish_and_activate(
            _read(file),
            key=load_key(key) if key else None,
            by=by or getpass.getuser(),
            now_ms=system_now_ms(),
            cluster=settings.cluster,
            prefix=settings.prefix,
            trust=TrustStore.load(trust) if trust else None,
            new_key=new_key,
        )
    )
    say(
        f"release {activation.digest} is published for {activation.domain} (sequence "
        f"{activation.sequence}); workers that trust its key take it over now, and the /ready of "
        "one that does not says why"
    )


def _read(file: Path) -> Signed:
    try:
        return signed_from_bytes(file.read_bytes())
    except OSError as error:
        raise ReleaseRefused(f"{file} cannot be read: {error.strerror}") from error


def _print_rules(release: Release) -> None:
    table = Table("rule", "reliability", "when", "then")
    for task in release.tasks.values():
        for rule in task.rules:
            known = task.reliability[rule.id]
            table.add_row(
                rule.id,
                f"{known.value:g} {'fitted' if known.fitted else 'assumed'}",
                " and ".join(map(print_literal, rule.body)),
                rule.label,
            )
    stdout().print(table)


def _print(release: Release) -> None:
    table = Table("task", "labels", "rules", "fitted rules", "answer at", "fuse at", "λ", "weights")
    for name, task in release.tasks.items():
        table.add_row(
            name,
            str(len(task.labels)),
            str(len(task.rules)),
            str(sum(known.fitted for known in task.reliability.values())),
            f"{task.answer_at:g}",
            f"{task.fuse_at:g}",
            f"{task.vote_weight:g}",
            "defaults" if task.defaults else "fitted",
        )
    stdout().print(table)
