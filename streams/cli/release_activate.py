"""`kdsl release activate | rollback | sync`: what workers run."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rule_store import Activation, load_key, read_release
from streams.activating import Activated, Wanted, activate_release
from streams.brief import brief
from streams.cli.options import Bootstrap, DomainName, Prefix
from streams.cli.release_options import (
    ByOption,
    KeyOption,
    Named,
    RegistryOption,
    TrustOption,
    find_release,
    open_registry,
    register,
    trusted,
    who,
)
from streams.cli.terminal import say
from streams.domain import load_domain, pack_folder
from streams.errors import InvalidDomain, InvalidSettings
from streams.predecessors import before_in_force, expected_sequence, labels_in_force
from streams.publishing import KafkaReleaseTopic
from streams.registering import Settled, sync_topic
from streams.role import system_now_ms
from streams.settings import Settings, load_settings

if TYPE_CHECKING:  # see `open_registry`
    from rule_store.registry import Registry

AllowUnsigned = Annotated[
    bool, typer.Option("--allow-unsigned", help="Do not sign; for workers that obey anybody.")
]
Expect = Annotated[
    str | None,
    typer.Option(
        metavar="SEQUENCE|DIGEST",
        help="Refuse unless this is in force in the registry; 0: nothing yet.",
    ),
]
NewKey = Annotated[
    bool, typer.Option("--new-key", help="Activate although only other keys have so far.")
]


def activate(
    name: Named,
    shadow: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST|FILE",
            help="Evaluate this release too, without effect; see `kdsl release shadow`.",
        ),
    ] = None,
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    key: KeyOption = None,
    trust: TrustOption = None,
    expect: Expect = None,
    allow_unsigned: AllowUnsigned = False,
    new_key: NewKey = False,
    by: ByOption = None,
    registry: RegistryOption = None,
) -> None:
    """Put a release in force: noted in the registry, published, taken over without a restart.

    A shadow lasts until the next activation: without --shadow, that ends it.
    """
    given = {"bootstrap": bootstrap, "prefix": prefix, "trust": trust, "registry": registry}
    settings, person = load_settings(given), who(by)
    with open_registry(settings) as opened:
        named = find_release(name, opened)
        beside = None if shadow is None else find_release(shadow, opened)
        release = read_release(named.signed.content)
        newest = opened.active(release.domain, release.labels_digest)
        expected = None if expect is None else expected_sequence(expect, newest)
        wanted = Wanted(
            release=named.digest,
            shadow=None if beside is None else beside.digest,
            key=_signer(key, allow_unsigned=allow_unsigned),
            trust=trusted(settings),
            new_key=new_key,
            by=person,
            at_ms=system_now_ms(),
            expected=expected,
        )
        for each in (named, beside):
            if each is not None:
                register(each, opened, wanted)
        _say_activated(_activate(opened, settings, wanted))


def rollback(
    domain: DomainName = None,
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    key: KeyOption = None,
    trust: TrustOption = None,
    expect: Expect = None,
    allow_unsigned: AllowUnsigned = False,
    new_key: NewKey = False,
    by: ByOption = None,
    registry: RegistryOption = None,
) -> None:
    """Put the release in force again that was before the one in force; a new activation.

    What was activated for other labels than those of the pack is left as it is.
    """
    given = {"bootstrap": bootstrap, "prefix": prefix, "trust": trust, "registry": registry}
    settings, person = load_settings({**given, "domain": domain}), who(by)
    signer = _signer(key, allow_unsigned=allow_unsigned)
    with open_registry(settings) as opened:
        name, labels = _domain_and_labels(opened, settings)
        newest, earlier = before_in_force(opened, name, labels, expected=expect)
        wanted = Wanted(
            release=earlier.digest,
            key=signer,
            trust=trusted(settings),
            new_key=new_key,
            by=person,
            at_ms=system_now_ms(),
            expected=newest.sequence,
        )
        say(
            f"rolling back {name} from {brief(newest.digest)} to {brief(earlier.digest)}, for the "
            f"labels {brief(labels)}"
        )
        _say_activated(_activate(opened, settings, wanted))


def sync(
    bootstrap: Bootstrap = None,
    prefix: Prefix = None,
    trust: TrustOption = None,
    registry: RegistryOption = None,
) -> None:
    """Publish what the registry has in force and the topic has not, lost or overwrote.

    To be run after `activate` was interrupted, and harmless at any time.
    """
    given = {"bootstrap": bootstrap, "prefix": prefix, "trust": trust, "registry": registry}
    settings = load_settings(given)
    topic = KafkaReleaseTopic(settings.cluster, prefix=settings.prefix)
    with open_registry(settings) as opened:
        settled = asyncio.run(
            sync_topic(opened, topic, trust=trusted(settings), now_ms=system_now_ms())
        )
        place = opened.place
    for each in settled:
        say(f"{each.activation.domain}: {_said(each)}")
    if not settled:
        say(f"nothing was ever activated in {place}")
    if any(each.outcome == "overruled" for each in settled):
        raise typer.Exit(1)


def _domain_and_labels(registry: "Registry", settings: Settings) -> tuple[str, str]:
    """Whose workers obey: those of the pack, or of the only labels when its name alone is known."""
    try:
        pack_folder(settings.domain)
    except InvalidDomain:
        return settings.domain, labels_in_force(registry, settings.domain)
    pack = load_domain(settings.domain)
    return pack.name, pack.labels_digest


def _signer(key: Path | None, *, allow_unsigned: bool) -> Ed25519PrivateKey | None:
    if key is None and not allow_unsigned:
        raise InvalidSettings(
            "sign the activation with --key (make one with `kdsl keys generate`), or send it "
            "unsigned with --allow-unsigned, for workers that obey anybody"
        )
    return load_key(key) if key else None


def _activate(registry: "Registry", settings: Settings, wanted: Wanted) -> Activated:
    topic = KafkaReleaseTopic(settings.cluster, prefix=settings.prefix)
    return asyncio.run(activate_release(registry, topic, wanted))


def _say_activated(activated: Activated) -> None:
    if activated.ahead_of_us is not None:
        say(
            f"warning: the topic already had {_told(activated.ahead_of_us)}, which this registry "
            "has not decided: another registry writes there too, or this one was restored"
        )
    activation = activated.activation
    if (other := activated.for_other_labels) is not None:
        say(
            f"warning: this release is for the labels {brief(activation.labels_digest)}; workers "
            f"of {other.domain} whose pack has the labels {brief(other.labels_digest)} go on with "
            f"{_told(other)}. If the pack was changed on purpose, start workers with it; if not, "
            "build from the pack that the workers run with"
        )
    if activated.settled.activation == activation and activated.settled.outcome != "overruled":
        say(
            f"release {activation.digest} is active for {activation.domain} (sequence "
            f"{activation.sequence}); see who runs it with `kdsl release status`"
        )
        if activation.shadow is not None:
            say(
                f"release {activation.shadow} is its shadow, evaluated without effect: see what it "
                "would change with `kdsl release shadow`"
            )
        return
    winner = activated.settled.overruled_by or activated.settled.activation
    say(
        f"release {activation.digest} was activated (sequence {activation.sequence}), but workers "
        f"obey {_told(winner)}: activate again if yours shall win"
    )
    raise typer.Exit(1)


def _said(settled: Settled) -> str:
    told = _told(settled.activation)
    match settled.outcome:
        case "stands":
            return f"{told} stands in the topic"
        case "published":
            return f"{told} is published now"
        case "republished":
            return f"{told} was not in the topic as the registry has it, and is published again"
        case "overruled":
            by = settled.overruled_by or settled.activation
            return (
                f"workers obey {_told(by)}, which this registry has not decided: activate again if "
                f"{brief(settled.activation.digest)} shall win"
            )


def _told(activation: Activation) -> str:
    return f"{brief(activation.digest)} (sequence {activation.sequence}, by {activation.by})"
