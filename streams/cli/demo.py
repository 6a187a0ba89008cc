"""`kdsl demo`: the whole system on this machine, with the sample dialogues."""

import asyncio
import json
import shutil
import sys
from collections import Counter, deque
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import platformdirs
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from inference.bundle import load_bundle
from rule_store import canonical_bytes, load_key, sign, signed_to_bytes
from streams.accounting import Accounts, Summary
from streams.building import F1_GIVEN_UP, build_release, pack_rules
from streams.cli.labelled import read_questions
from streams.cli.model import task_specs
from streams.cli.terminal import at_home, printable, say, stderr, stdout, stoppable
from streams.datasets import read_examples
from streams.demo import Running, play, running_system
from streams.demo_folder import DemoFolder, fingerprint
from streams.domain import Domain, load_domain
from streams.events import Tag
from streams.resources import domain_folder, quickstart_folder
from streams.settings import Settings

_HOME = platformdirs.user_data_path("kdsl") / "demo"
_DOMAIN = "storefront"
_LAST_TAGS = 12


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running afterwards; Ctrl-C stops it.")
    ] = False,
    summary: Annotated[
        Path | None, typer.Option(help="Also write the summary as JSON to this file.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--data", help=f"Where to keep everything. (default: {at_home(_HOME)})"),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Dialogues a second.")] = 20.0,
) -> None:
    """Run the whole system on this machine: Kafka, model, release, workers, sample dialogues.

    No Java, Docker, GPU or model is to be installed; the extras cpu, ocr, broker and train are.
    The exit status is 0 only when every question got its tag or its event a dead letter.
    Ctrl-C at any moment stops everything.
    """
    stoppable()
    home = DemoFolder(root=(folder or _HOME).resolve())
    try:
        with home.held():
            domain = load_domain(_DOMAIN)
            _prepare_bundle_and_release(home, domain)
            missing = asyncio.run(_run(home, domain, rate, summary, keep))
    except KeyboardInterrupt:
        say("stopped, and with it everything that was started")
        raise typer.Exit(130) from None
    if missing:
        raise typer.Exit(1)


def _prepare_bundle_and_release(home: DemoFolder, domain: Domain) -> None:
    """Train and build, unless nothing they are made from has changed since the last run."""
    wanted = fingerprint(domain_folder(_DOMAIN))
    if home.fingerprint.is_file() and home.fingerprint.read_text() == wanted:
        say("bundle and release are up to date")
        return
    home.fingerprint.unlink(missing_ok=True)
    # scikit-learn is imported in here; a run that finds everything made does without.
    from inference.compact import train

    settings = Settings(domain=_DOMAIN, cache=home.cache)
    say("reading the sample's training dialogues and screenshots")
    labelled = read_questions([quickstart_folder() / "train.jsonl"], "live", settings, domain)
    say(f"training the bundle on {len(labelled)} questions")
    train(
        task_specs(domain),
        [each.training_example for each in labelled],
        concepts=domain.lexicon.concepts,
        out=home.bundle,
        seed=0,
    )
    release = build_release(
        domain,
        pack_rules(domain),
        bundle=load_bundle(home.bundle),
        labelled=labelled,
        settings={"view": "live", "readings": "own", "f1_given_up": F1_GIVEN_UP},
    )
    signed = sign(canonical_bytes(release), load_key(home.key), "release")
    home.release.write_bytes(signed_to_bytes(signed))
    home.fingerprint.write_text(wanted)


async def _run(
    home: DemoFolder, domain: Domain, rate: float, summary_file: Path | None, keep: bool
) -> int:
    """Play the sample through the running system; how many questions were lost."""
    examples = list(
        read_examples(quickstart_folder() / "live.jsonl", domain=domain.name, view="live", now_ms=0)
    )
    accounts = Accounts(domain)
    screen = _Screen(accounts)
    async with running_system(home, domain, report=say) as system:
        say(f"sending {len(examples)} dialogues, {rate:g} a second")
        with screen.live(stderr()):
            await play(
                system, examples, accounts, rate=rate, on_tag=screen.show, give_up_after_s=60.0
            )
        summary = accounts.summary()
        _print_summary(stdout(), summary, home)
        if summary_file is not None:
            _write_summary(summary, summary_file)
        for event_id, question in accounts.missing[:10]:
            say(f"lost: {event_id} {question.task} {question.image_id or ''}")
        if keep:
            _say_how_to_go_on(system, home)
            await asyncio.Event().wait()
    return summary.missing


class _Screen:
    """The live table: what came last, and how far the books are."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._last: deque[Tag] = deque(maxlen=_LAST_TAGS)
        self._sources: Counter[str] = Counter()
        self._live: Live | None = None

    def live(self, console: Console) -> "Live | nullcontext[None]":
        if not console.is_terminal:
            return nullcontext()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8)
        return self._live

    def show(self, tag: Tag) -> None:
        self._last.append(tag)
        self._sources[tag.source] += 1

    def _render(self) -> Group:
        table = Table("dialogue", "task", "label", "confidence", "by", title="latest tags")
        for tag in self._last:
            label = tag.label or f"— ({tag.reason})"
            table.add_row(
                printable(tag.dialogue_id), tag.task, label, f"{tag.confidence:.2f}", tag.source
            )
        by = ", ".join(f"{source} {count}" for source, count in self._sources.most_common())
        return Group(table, f"{self._accounts.answered} of {self._accounts.asked} tagged ({by})")


def _print_summary(console: Console, summary: Summary, home: DemoFolder) -> None:
    table = Table(title="summary", show_header=False)
    table.add_row("events in", str(summary.events))
    table.add_row("questions", f"{summary.questions}, {summary.missing} missing")
    for source, count in summary.tags.items():
        table.add_row(f"tags by {source}" if source != "abstained" else "abstained", str(count))
    table.add_row("dead letters", str(summary.dead_letters))
    table.add_row("alerts", str(summary.alerts))
    share = summary.model_calls_saved / max(1, summary.questions)
    table.add_row("model calls saved", f"{summary.model_calls_saved} ({share:.0%})")
    for task, f1 in summary.weighted_f1.items():
        table.add_row(f"weighted F1, {task}", f"{f1:.3f}")
    latency = summary.latency_ms
    if latency.p50 is not None and latency.p99 is not None:
        table.add_row("latency p50 / p99", f"{latency.p50:.0f} / {latency.p99:.0f} ms")
    table.add_row("data", str(home.root))
    console.print(table)


def _write_summary(summary: Summary, file: Path) -> None:
    text = json.dumps(summary.as_json(), ensure_ascii=False, indent=2)
    file.write_text(text + "\n", encoding="utf-8")


def _say_how_to_go_on(system: Running, home: DemoFolder) -> None:
    there = f"--bootstrap {system.cluster.bootstrap}"
    kdsl = "kdsl" if shutil.which("kdsl") else str(Path(sys.argv[0]).resolve())
    line = (
        '{"dialogue_id": "mine-1", "turns": [{"speaker": "user", "text": "Where is my parcel?"}]}'
    )
    ready = ", ".join(
        f"{role} http://127.0.0.1:{port}/ready" for role, port in system.ports.items()
    )
    say(
        "it keeps running; Ctrl-C stops everything. In another terminal:\n"
        f"  {kdsl} watch {there}\n"
        f"  echo '{line}' | {kdsl} send - {there}\n"
        f"  {kdsl} dead-letters list {there}\n"
        f"  {kdsl} release activate FILE --key {home.key} --registry {home.registry} {there}\n"
        f"health: {ready}"
    )
