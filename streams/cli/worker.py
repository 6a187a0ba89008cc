"""`kdsl worker`: the three long-running roles."""

import logging
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_cache_path

from streams.cli.options import Bootstrap, BundleOption, DomainName, Prefix, Threads
from streams.cli.terminal import at_home
from streams.log_flood import FloodFilter
from streams.settings import RoleName, Settings, load_settings

app = typer.Typer(
    no_args_is_help=True,
    help="Run a worker: tagger, resolver or alerter. Stop it with SIGTERM or Ctrl-C.",
)

Trust = Annotated[
    Path | None,
    typer.Option(
        help="Public keys (PEM file or folder) whose releases are obeyed. (env: KDSL_TRUST; "
        "default: none)"
    ),
]
AllowUnsigned = Annotated[
    bool | None,
    typer.Option(
        "--allow-unsigned",
        help="Obey releases without a trusted signature. (env: KDSL_ALLOW_UNSIGNED; "
        "default: false)",
    ),
]
WebPort = Annotated[
    int | None,
    typer.Option(
        help="Port of /live, /ready, /metrics; 0 takes a free one and logs it. "
        "(env: KDSL_WEB_PORT; default: 0)"
    ),
]
WebHost = Annotated[
    str | None,
    typer.Option(help="Address to listen on. (env: KDSL_WEB_HOST; default: 127.0.0.1)"),
]
ImagePrefixes = Annotated[
    list[str] | None,
    typer.Option(
        "--image-prefix",
        help="An address below which images may be fetched; may be repeated. "
        "(env: KDSL_IMAGE_PREFIXES, with commas between; default: none)",
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        help=f"Folder of readings. (env: KDSL_CACHE; default: {at_home(user_cache_path('kdsl'))})"
    ),
]


def run(settings: Settings, role: RoleName) -> None:
    """Run a worker in this process and leave with its exit status."""
    # Faust is imported here, so that other commands do not pay for it.
    from streams.worker import run_worker

    handler = logging.StreamHandler()
    handler.addFilter(FloodFilter())
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[handler],
    )
    for name in ("faust", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    raise typer.Exit(run_worker(settings, role))


@app.command("tagger")
def tagger(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    domain: DomainName = None,
    trust: Trust = None,
    allow_unsigned: AllowUnsigned = None,
    image_prefix: ImagePrefixes = None,
    early_answer: Annotated[
        bool | None,
        typer.Option(
            "--early-answer/--no-early-answer",
            help="Answer what is certain at once, or leave every question to the resolver. "
            "(env: KDSL_EARLY_ANSWER; default: true)",
        ),
    ] = None,
    web_host: WebHost = None,
    web_port: WebPort = None,
) -> None:
    """Read dialogue.events, answer what the rules are certain of, defer the rest."""
    given = {
        "bootstrap": bootstrap,
        "prefix": prefix,
        "domain": domain,
        "trust": trust,
        "allow_unsigned": allow_unsigned,
        "image_prefixes": tuple(image_prefix) if image_prefix else None,
        "early_answer": early_answer,
        "web_host": web_host,
        "web_port": web_port,
    }
    run(load_settings(given), "tagger")


@app.command("resolver")
def resolver(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    domain: DomainName = None,
    bundle: BundleOption = None,
    provider: Annotated[
        str | None,
        typer.Option(
            metavar="cpu|cuda",
            help="Where the model runs. (env: KDSL_PROVIDER; default: cpu)",
        ),
    ] = None,
    trust: Trust = None,
    allow_unsigned: AllowUnsigned = None,
    image_prefix: ImagePrefixes = None,
    readings: Annotated[
        str | None,
        typer.Option(
            metavar="own|given",
            help="given uses readings a dataset brought along. (env: KDSL_READINGS; default: own)",
        ),
    ] = None,
    cache: Cache = None,
    threads: Threads = None,
    web_host: WebHost = None,
    web_port: WebPort = None,
) -> None:
    """Read dialogue.deferred: screenshots, rules again, the model, one fused tag a question."""
    given = {
        "bootstrap": bootstrap,
        "prefix": prefix,
        "domain": domain,
        "bundle": bundle,
        "provider": provider,
        "trust": trust,
        "allow_unsigned": allow_unsigned,
        "image_prefixes": tuple(image_prefix) if image_prefix else None,
        "readings": readings,
        "cache": cache,
        "threads": threads,
        "web_host": web_host,
        "web_port": web_port,
    }
    # About two model batches a frame: what is in flight is done again when the worker dies.
    run(load_settings(given, defaults={"batch": 32, "frames_at_once": 4}), "resolver")


@app.command("alerter")
def alerter(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    domain: DomainName = None,
    web_host: WebHost = None,
    web_port: WebPort = None,
) -> None:
    """Read dialogue.tags and raise the domain's alerts for operators."""
    given = {
        "bootstrap": bootstrap,
        "prefix": prefix,
        "domain": domain,
        "web_host": web_host,
        "web_port": web_port,
    }
    run(load_settings(given), "alerter")
