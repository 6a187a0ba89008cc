"""Builders of what stands in a registry."""

from hashlib import sha256

from rule_store import (
    Activation,
    Binding,
    Has,
    Lexicon,
    Literal,
    Release,
    Reliability,
    Rule,
    Signature,
    Signed,
    TaskRules,
    activation_to_bytes,
    canonical_bytes,
    labels_digest,
    signed_to_bytes,
)
from rule_store.canonical import canonical_json
from rule_store.registry import ActivationRow, LabelledExample, Registry
from tests.factories import NOW_MS

LABELS = ("track", "refund")
LABELS_DIGEST = labels_digest({"intent": LABELS})


def make_content(phrase: str, *, domain: str = "shop", labels: tuple[str, ...] = LABELS) -> bytes:
    """A release's bytes: one rule, which looks for a phrase."""
    literal = Literal(predicate=Has(channel="last", phrase=phrase))
    rule = Rule(task="intent", body=(literal,), label=labels[0])
    task = TaskRules(
        labels=labels,
        rules=(rule,),
        reliability={rule.id: Reliability(value=0.9, fitted=False)},
        answer_at=0.85,
        fuse_at=0.0,
        vote_weight=1,
        defaults=True,
    )
    return canonical_bytes(
        Release(
            domain=domain,
            labels_digest=labels_digest({"intent": labels}),
            tasks={"intent": task},
            lexicon=Lexicon.of({}),
            bundle=None,
            examples_digest=None,
            settings={},
        )
    )


def make_signed(phrase: str, *signers: str, domain: str = "shop") -> Signed:
    """A release under made-up signatures: the registry keeps them and believes none."""
    return Signed(
        content=make_content(phrase, domain=domain),
        signatures=tuple(make_signature(signer) for signer in signers),
    )


def make_signature(signer: str, *, value: bytes = b"\1" * 64) -> Signature:
    """The signature of a key that is called after its owner."""
    return Signature(key_id=sha256(signer.encode()).hexdigest()[:16], value=value)


def make_envelope(activation: Activation) -> bytes:
    """An unsigned envelope."""
    return signed_to_bytes(Signed(content=activation_to_bytes(activation), signatures=()))


def add(registry: Registry, *phrases: str) -> list[str]:
    """Add one release a phrase; their digests."""
    rows = [registry.add_release(make_signed(each), by="ann", at_ms=NOW_MS) for each in phrases]
    return [row.digest for row in rows]


def waiting(registry: Registry) -> list[ActivationRow]:
    """What is decided for the shop and not published, in the order in which it was decided."""
    rows = registry.history("shop")
    return [row for row in reversed(rows) if row.published_at_ms is None]


def activate(
    registry: Registry,
    name: str,
    *,
    shadow: str | None = None,
    at_least: int = 0,
    expected: int | None = None,
    by: str = "ann",
    binding: Binding | None = None,
) -> Activation:
    return registry.activate(
        "shop",
        LABELS_DIGEST,
        name,
        shadow=shadow,
        by=by,
        at_ms=NOW_MS,
        make_envelope=make_envelope,
        at_least_sequence=at_least,
        expected=expected,
        binding=binding,
    )


def example(name: str, text: str = "where is it", *labels: str) -> LabelledExample:
    line = canonical_json({"dialogue_id": name, "turns": [{"speaker": "user", "text": text}]})
    return LabelledExample(
        example_id=name, line=line, labels=labels or ("track",), origin="train.jsonl"
    )
