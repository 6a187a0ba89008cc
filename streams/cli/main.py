"""The command tree, and how an error reaches a person."""

import logging
import sys
from importlib import metadata
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from inference.errors import InferenceError
from rule_store import RuleStoreError
from streams.cli import (
    bench,
    broker,
    dead_letters,
    demo,
    examples,
    keys,
    model,
    refresh,
    release,
    rules,
    send,
    tag,
    topics,
    watch,
    worker,
)
from streams.cli.terminal import say
from streams.errors import StreamsError

app = typer.Typer(
    name="kdsl",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "KDSL tags customer dialogues as a stream: interpretable rules answer what can be said "
        "in words, a multimodal model the rest. Start with `kdsl demo`."
    ),
)


@app.callback()
def kdsl(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"kdsl {metadata.version('kdsl')}")
        raise typer.Exit


app.command("demo")(demo.demo)
app.command("tag")(tag.tag)
app.command("send")(send.send)
app.command("watch")(watch.watch)
app.command("broker")(broker.broker)
app.command("refresh")(refresh.refresh)
app.add_typer(topics.app, name="topics")
app.add_typer(worker.app, name="worker")
app.add_typer(release.app, name="release")
app.add_typer(keys.app, name="keys")
app.add_typer(examples.app, name="examples")
app.add_typer(rules.app, name="rules")
app.add_typer(model.app, name="model")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run `kdsl`; an expected failure is one sentence on standard error and exit status 1."""
    # What a person can act on is said by our own errors; the client repeats itself beside them.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
    except (StreamsError, RuleStoreError, InferenceError) as error:
        say(f"kdsl: {error}")
        sys.exit(1)
    except KafkaError as error:
        say(f"kdsl: Kafka refused: {error}")
        sys.exit(1)
