"""Registry: releases are kept as they are and found again, on SQLite and on PostgreSQL."""

import itertools
from collections.abc import Callable

import pytest
from sqlalchemy.exc import DBAPIError

from rule_store import (
    InvalidEnvelope,
    InvalidRelease,
    Signed,
    digest,
)
from rule_store.registry import Registry
from rule_store.registry.limits import NOTE_CHARS
from rule_store.registry_errors import (
    InvalidEntry,
    RegistryConflict,
    RegistryDamaged,
    UnknownRelease,
)
from tests.factories import NOW_MS
from tests.registries import (
    LABELS_DIGEST,
    activate,
    add,
    make_content,
    make_signature,
    make_signed,
)


def test_a_release_is_found_by_its_digest_or_by_enough_of_it(registry: Registry) -> None:
    content = make_content("one")
    row = registry.add_release(make_signed("one", "ann"), by="ann", at_ms=NOW_MS, note="first")
    assert row.digest == digest(content)
    assert (row.domain, row.labels_digest) == ("shop", LABELS_DIGEST)
    assert (row.by, row.at_ms, row.note, row.parent) == ("ann", NOW_MS, "first", None)
    assert row.size_bytes == len(content)
    assert row.signed_by == (make_signature("ann").key_id,)
    hexadecimal = row.digest.removeprefix("sha256:")
    for name in (row.digest, row.digest[:15], hexadecimal, hexadecimal[:4]):
        assert registry.release(name) == row
    assert registry.signed(row.digest) == make_signed("one", "ann")


@pytest.mark.parametrize("name", ["", "abc", "sha256:", "latest", "%", "ABCDEF", "0000"])
def test_what_names_no_release_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(UnknownRelease, match="is not in the registry"):
        registry.release(name)


def test_digits_that_several_releases_begin_with_name_them_all(registry: Registry) -> None:
    by_start: dict[str, str] = {}
    for letters in itertools.product("abcdefghijklm", repeat=3):  # phrases fold digits away
        phrase = "".join(letters)
        other = by_start.setdefault(digest(make_content(phrase))[: len("sha256:") + 4], phrase)
        if other != phrase:
            break
    first, second = sorted(add(registry, other, phrase))
    with pytest.raises(UnknownRelease, match="give more digits") as refused:
        registry.release(first[: len("sha256:") + 4])
    assert refused.value.found == (first, second)


def test_adding_a_release_again_keeps_who_was_first_and_merges_signatures(
    registry: Registry,
) -> None:
    first = registry.add_release(make_signed("one", "ann", "bob"), by="ann", at_ms=NOW_MS)
    again = registry.add_release(make_signed("one", "ann"), by="eve", at_ms=NOW_MS + 1, note="n")
    assert again == first
    assert len(registry.audit()) == 1, "nothing was done"

    other = Signed(
        content=make_content("one"),
        signatures=(make_signature("eve"), make_signature("ann")),
    )
    row = registry.add_release(other, by="eve", at_ms=NOW_MS + 1)
    assert (row.by, row.at_ms) == ("ann", NOW_MS)
    assert registry.signed(row.digest).signatures == (
        make_signature("ann"),
        make_signature("bob"),
        make_signature("eve"),
    )
    assert [each.what for each in registry.audit()] == ["release signed", "release added"]


def test_a_signature_that_stands_is_not_replaced_by_another_of_its_key(registry: Registry) -> None:
    """Ed25519 signs the same bytes in one way: the other one is wrong."""
    name = registry.add_release(make_signed("one", "ann"), by="ann", at_ms=NOW_MS).digest
    wrong = (make_signature("eve"), make_signature("ann", value=b"\2" * 64))
    other = Signed(content=make_content("one"), signatures=wrong)
    with pytest.raises(RegistryConflict, match=f"another signature of key {wrong[1].key_id}"):
        registry.add_release(other, by="eve", at_ms=NOW_MS + 1)
    assert registry.signed(name) == make_signed("one", "ann")
    assert len(registry.audit()) == 1, "nothing was done"


def test_a_verified_signature_takes_the_place_of_a_wrong_one_of_its_key(
    registry: Registry,
) -> None:
    right, wrong = make_signature("ann"), make_signature("ann", value=b"\2" * 64)
    stands = Signed(content=make_content("one"), signatures=(wrong, make_signature("bob")))
    registry.add_release(stands, by="eve", at_ms=NOW_MS)
    given = make_signed("one", "ann")
    row = registry.add_release(given, by="ann", at_ms=NOW_MS, verified=[right.key_id])
    assert registry.signed(row.digest).signatures == (make_signature("bob"), right)
    (newest, _) = registry.audit()
    assert newest.details == {"signed_by": [right.key_id], "replaced": [right.key_id]}


def test_no_more_signatures_are_merged_than_can_be_sent(registry: Registry) -> None:
    signers = [f"s{number}" for number in range(16)]
    registry.add_release(make_signed("one", *signers), by="ann", at_ms=NOW_MS)
    with pytest.raises(InvalidEnvelope, match="would be 17, at most 16"):
        registry.add_release(make_signed("one", "another"), by="ann", at_ms=NOW_MS)
    with pytest.raises(InvalidEnvelope):
        registry.add_release(make_signed("two", *signers, "another"), by="ann", at_ms=NOW_MS)


def test_releases_are_listed_newest_first_and_by_page(registry: Registry) -> None:
    one, two, three = add(registry, "one", "two", "three")
    (other,) = (
        registry.add_release(make_signed("one", domain="bank"), by="ann", at_ms=NOW_MS).digest,
    )
    assert [row.digest for row in registry.releases()] == [other, three, two, one]
    page = registry.releases("shop", limit=2)
    assert [row.digest for row in page] == [three, two]
    rest = registry.releases("shop", limit=2, before=page[-1].number)
    assert [row.digest for row in rest] == [one]


def test_a_release_knows_its_parent_of_the_same_domain(registry: Registry) -> None:
    (parent,) = add(registry, "one")
    child = registry.add_release(make_signed("two"), by="ann", at_ms=NOW_MS, parent=parent[:20])
    assert child.parent == parent
    with pytest.raises(UnknownRelease):
        registry.add_release(make_signed("3"), by="ann", at_ms=NOW_MS, parent="sha256:" + "0" * 64)
    with pytest.raises(RegistryConflict, match=r"the parent \S+ is of domain shop"):
        registry.add_release(
            make_signed("one", domain="bank"), by="ann", at_ms=NOW_MS, parent=parent
        )


def test_what_is_no_release_or_out_of_bounds_is_refused(registry: Registry) -> None:
    with pytest.raises(InvalidRelease):
        registry.add_release(Signed(content=b"{}", signatures=()), by="ann", at_ms=NOW_MS)
    one = make_signed("one")
    for by in ("", "x" * 129, "a\0b", "\ud800"):
        with pytest.raises(InvalidEntry, match="invalid by"):
            registry.add_release(one, by=by, at_ms=NOW_MS)
    with pytest.raises(InvalidEntry, match="invalid at_ms"):
        registry.add_release(one, by="ann", at_ms=-1)
    with pytest.raises(InvalidEntry, match="invalid note"):
        registry.add_release(one, by="ann", at_ms=NOW_MS, note="n" * (NOTE_CHARS + 1))
    for limit, before in ((0, None), (1001, None), (1, -1)):
        with pytest.raises(InvalidEntry):
            registry.releases(limit=limit, before=before)
    assert registry.releases() == ()
    assert registry.verify_audit() == 0


def test_the_database_itself_refuses_to_change_a_release(
    registry: Registry, tamper: Callable[..., None]
) -> None:
    add(registry, "one")
    activate(registry, registry.releases()[0].digest)
    for table in ("releases", "activations", "audit"):
        for change in ("UPDATE {} SET number = 9", "DELETE FROM {}"):
            with pytest.raises(DBAPIError, match=f"rows of {table} never change"):
                tamper(change.format(table))


def test_bytes_that_were_changed_are_not_handed_out(
    registry: Registry, tamper: Callable[..., None]
) -> None:
    (name,) = add(registry, "one")
    statement = "UPDATE releases SET content = x'7b7d'"
    if registry.place.startswith("postgresql"):
        statement = "UPDATE releases SET content = CAST('{}' AS bytea)"
    tamper(statement, triggers=False)
    with pytest.raises(RegistryDamaged, match="were changed past kdsl"):
        registry.signed(name)
