"""Activation: its bytes, its key, and which one wins."""

import json
from dataclasses import replace

import pytest

from rule_store import (
    Activation,
    InvalidActivation,
    activation_from_bytes,
    activation_to_bytes,
    release_key,
    supersedes,
    topic_key,
)

ACTIVATION = Activation(
    domain="storefront",
    labels_digest="a" * 64,
    digest="sha256:" + "b" * 64,
    shadow=None,
    sequence=7,
    by="ops@example",
    at_ms=1_700_000_000_000,
)


def test_the_bytes_are_canonical_json_and_read_back() -> None:
    content = activation_to_bytes(ACTIVATION)
    assert content.decode() == (
        '{"at_ms":1700000000000,"by":"ops@example",'
        f'"digest":"sha256:{"b" * 64}","domain":"storefront","labels_digest":"{"a" * 64}",'
        '"schema":"1.0","sequence":7,"shadow":null}'
    )
    assert activation_from_bytes(content) == ACTIVATION
    shadowed = replace(ACTIVATION, shadow="sha256:" + "c" * 64)
    assert activation_from_bytes(activation_to_bytes(shadowed)) == shadowed


def test_only_a_higher_sequence_supersedes() -> None:
    assert supersedes(ACTIVATION, None)
    assert supersedes(replace(ACTIVATION, sequence=8), ACTIVATION)
    assert not supersedes(ACTIVATION, ACTIVATION)
    assert not supersedes(replace(ACTIVATION, sequence=6, at_ms=2**52), ACTIVATION)


def test_keys_of_the_releases_topic() -> None:
    assert topic_key(ACTIVATION) == f"active/storefront/{'a' * 64}"
    assert release_key(ACTIVATION.digest) == f"release/sha256:{'b' * 64}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("domain", "a/b"),
        ("domain", ""),
        ("domain", 3),
        ("labels_digest", "a" * 63),
        ("labels_digest", "A" * 64),
        ("digest", "b" * 64),
        ("digest", None),
        ("shadow", "sha256:"),
        ("sequence", 0),
        ("sequence", True),
        ("sequence", 1.0),
        ("sequence", 2**60),
        ("at_ms", -1),
        ("by", "x" * 129),
        ("by", None),
        ("schema", "2.0"),
    ],
)
def test_a_bad_field_is_refused_by_name(field: str, value: object) -> None:
    fields = json.loads(activation_to_bytes(ACTIVATION)) | {field: value}
    with pytest.raises(InvalidActivation) as refusal:
        activation_from_bytes(json.dumps(fields).encode())
    assert refusal.value.where == field


@pytest.mark.parametrize("content", [b"", b"null", b"{", b"\xff", b" " * 65537])
def test_bytes_that_are_no_activation_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidActivation):
        activation_from_bytes(content)
