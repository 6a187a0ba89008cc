"""`kdsl release` as far as it needs no Kafka: build, sign, verify, list, show, diff, history."""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rule_store import (
    Binding,
    KeyRefused,
    Signed,
    Untrusted,
    canonical_bytes,
    digest,
    new_key,
    public_path,
    read_release,
    signed_from_bytes,
)
from rule_store.registry import RefreshRow, Registry
from rule_store.registry_errors import (
    InvalidEntry,
    RegistryOutdated,
    RegistryUnavailable,
    UnknownRelease,
)
from streams.cli.main import app
from streams.errors import InvalidSettings, ReleaseRefused
from tests import factories as make
from tests.command_groups import Commands, id_of
from tests.registries import activate, add, make_envelope

KDSL = Commands(group="release")
run, ran, refused = KDSL.run, KDSL.ran, KDSL.refused

BUY = 'when last has "price" then buy\n'
COMPLAIN = 'when last has "angry" then complain\n'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the registry is that every command uses."""
    monkeypatch.delenv("KDSL_TRUST", raising=False)
    monkeypatch.setenv("KDSL_REGISTRY", str(tmp_path / "registry.db"))
    return tmp_path / "registry.db"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return make.write_pack(tmp_path / "kiosk", {"intent.rules": BUY})


@pytest.fixture
def key(tmp_path: Path) -> Path:
    new_key(tmp_path / "ann.key")
    return tmp_path / "ann.key"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    new_key(tmp_path / "bob.key")
    return tmp_path / "bob.key"


def built(pack: Path, *options: str | Path) -> str:
    """Build a release of the pack; its digest."""
    return next(word for word in ran("build", "--domain", pack, *options).split() if ":" in word)


def test_build_puts_the_same_release_into_registry_and_file(
    pack: Path, key: Path, place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "shop.release"
    name = built(pack, "--key", key, "--out", out, "--by", "ann", "--note", "first")
    signed = signed_from_bytes(out.read_bytes())
    assert digest(signed.content) == name
    with Registry.open(place) as registry:
        assert registry.signed(name) == signed
        row = registry.release(name)
    assert (row.by, row.note, row.parent, row.domain) == ("ann", "first", None, "kiosk")
    assert row.signed_by == (id_of(key),)


def test_a_script_reads_the_digest_from_what_build_prints(pack: Path, place: Path) -> None:
    result = run("build", "--domain", pack)
    with Registry.open(place) as registry:
        (row,) = registry.releases()
    assert re.findall("sha256:[0-9a-f]*", result.stdout) == [row.digest]


def test_build_without_a_key_says_that_nobody_signed(pack: Path) -> None:
    output = ran("build", "--domain", pack)
    assert "in the registry (unsigned)" in output
    assert "signed by nobody" in ran("show", output.split()[1])


def test_build_says_who_has_signed_what_stands_in_the_registry_already(
    pack: Path, key: Path, tmp_path: Path
) -> None:
    out = tmp_path / "try.release"
    assert f"in the registry (signed by {id_of(key)})" in ran(
        "build", "--domain", pack, "--key", key
    )
    again = ran("build", "--domain", pack, "--out", out)
    assert f"in the registry (signed by {id_of(key)}) and {out} (unsigned)" in again
    both = ran("build", "--domain", pack, "--out", out, "--key", key)
    assert f"in the registry and {out} (signed by {id_of(key)})" in both


def test_the_same_rules_built_again_are_the_same_release(pack: Path, place: Path) -> None:
    assert built(pack) == built(pack)
    with Registry.open(place) as registry:
        assert len(registry.releases()) == 1


def test_a_release_remembers_what_was_in_force_when_it_was_built(place: Path, pack: Path) -> None:
    old = built(pack)
    with Registry.open(place) as registry:
        row = registry.release(old)
        registry.activate(
            "kiosk",
            row.labels_digest,
            old,
            shadow=None,
            by="ann",
            at_ms=make.NOW_MS,
            make_envelope=make_envelope,
        )
    (pack / "intent.rules").write_text(BUY + COMPLAIN, encoding="utf-8")
    new = built(pack)
    with Registry.open(place) as registry:
        assert registry.release(new).parent == old


def test_a_second_signature_leaves_the_digest_and_reaches_the_registry(
    pack: Path, key: Path, other: Path, place: Path
) -> None:
    name = built(pack, "--key", key)
    assert f"is signed by {id_of(key)}, {id_of(other)}" in ran("sign", name[:13], "--key", other)
    with Registry.open(place) as registry:
        assert registry.release(name).signed_by == (id_of(key), id_of(other))


def test_who_signs_what_is_in_shadow_is_told_to_publish_that(
    place: Path, pack: Path, key: Path
) -> None:
    """As for what is active: workers that start read the topic."""
    name = built(pack)
    with Registry.open(place) as registry:
        row = registry.release(name)
        other = replace(read_release(registry.signed(name).content), settings={"at": 1})
        unsigned = Signed(content=canonical_bytes(other), signatures=())
        active = registry.add_release(unsigned, by="ann", at_ms=make.NOW_MS).digest
        registry.activate(
            row.domain,
            row.labels_digest,
            active,
            shadow=name,
            by="ann",
            at_ms=make.NOW_MS,
            make_envelope=make_envelope,
        )
    assert "it is in shadow: run `kdsl release sync`" in ran("sign", name, "--key", key)
    assert "it is active: run `kdsl release sync`" in ran("sign", active, "--key", key)


def test_signing_a_file_writes_it_anew_and_the_registry_with_it(
    pack: Path, key: Path, place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "shop.release"
    name = built(pack, "--out", out)
    assert f"{out} and the registry" in ran("sign", out, "--key", key)
    signed = signed_from_bytes(out.read_bytes())
    with Registry.open(place) as registry:
        assert registry.signed(name) == signed
    assert list(tmp_path.glob(".*")) == []


def test_signing_a_file_of_another_registry_leaves_this_one_alone(
    pack: Path, key: Path, place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "shop.release"
    built(pack, "--out", out, "--registry", tmp_path / "elsewhere.db")
    ran("sign", out, "--key", key)
    with Registry.open(place) as registry:
        assert registry.releases() == ()


def test_what_is_no_release_is_not_signed(key: Path, tmp_path: Path) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(b"garbage")
    assert run("sign", file, "--key", key).exit_code == 1
    assert file.read_bytes() == b"garbage"


def test_verify_names_the_trusted_keys_and_the_others(pack: Path, key: Path, other: Path) -> None:
    name = built(pack, "--key", key)
    ran("sign", name, "--key", other)
    output = ran("verify", name, "--trust", public_path(key))
    assert f"is signed by {id_of(key)}: trusted" in output
    assert f"also signed by {id_of(other)}" in output


def test_verify_exits_1_when_nobody_who_is_trusted_signed(
    pack: Path, key: Path, other: Path
) -> None:
    unsigned = built(pack)
    assert "carries no signature" in refused(
        Untrusted, "verify", unsigned, "--trust", public_path(key)
    )
    ran("sign", unsigned, "--key", other)
    assert "does not know" in refused(Untrusted, "verify", unsigned, "--trust", public_path(key))


def test_verify_wants_to_know_whom_to_trust(pack: Path) -> None:
    assert "--trust" in refused(InvalidSettings, "verify", built(pack))


def test_list_shows_the_newest_first_of_a_domain_or_all(pack: Path, key: Path) -> None:
    first = built(pack, "--key", key, "--note", "only prices")
    (pack / "intent.rules").write_text(BUY + COMPLAIN, encoding="utf-8")
    second = built(pack)
    output = ran("list")
    assert output.index(second[7:19]) < output.index(first[7:19])
    assert id_of(key) in output
    assert "only prices" in output
    assert "no release in" in ran("list", "--domain", "elsewhere")


def test_show_takes_a_digest_with_or_without_its_name_or_a_file(pack: Path, tmp_path: Path) -> None:
    out = tmp_path / "kiosk.release"
    name = built(pack, "--out", out)
    shown = ran("show", out, "--rules")
    assert 'last has "price"' in shown
    for named in (name, name[7:], name[7:13], name[:13]):
        assert ran("show", named, "--rules") == shown


def test_show_says_first_what_a_rule_asks_for_and_then_what_it_forbids(pack: Path) -> None:
    """A release keeps its bodies sorted, which puts the phrase that is forbidden first here."""
    text = 'when last has "price" and not last has "angry" and turns below 3 then buy\n'
    (pack / "intent.rules").write_text(text, encoding="utf-8")
    shown = ran("show", built(pack), "--rules")
    assert 'last has "price" and turns below 3 and not last has "angry"' in shown


def test_list_and_history_cut_no_digest_key_or_date_in_80_columns(
    pack: Path, key: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name = built(pack, "--key", key, "--note", "so that customers who ask for the price get it")
    with Registry.open(place) as registry:
        labels = registry.release(name).labels_digest
        registry.activate(
            "kiosk",
            labels,
            name,
            shadow=None,
            by="ann",
            at_ms=make.NOW_MS,
            make_envelope=make_envelope,
        )
    listed = ran("list").split()
    assert {name[7:19], "(active)", id_of(key)} <= set(listed)
    shown = ran("history", "--domain", pack, "--audit").split()
    assert shown.count(name[7:19]) == 3, "in the history, and in both rows of the audit trail"
    assert labels.removeprefix("sha256:")[:12] in shown


@pytest.mark.parametrize("name", ["sha256:01234", "01234", "nowhere.release", "shop"])
def test_what_is_neither_file_nor_digest_is_refused(name: str) -> None:
    assert "neither a file nor six or more digits" in refused(ReleaseRefused, "show", name)


def test_a_digest_the_registry_does_not_know_is_refused() -> None:
    assert "not in the registry" in refused(UnknownRelease, "show", "0123456789")


def test_diff_says_in_words_what_changed(pack: Path) -> None:
    old = built(pack)
    text = 'when last has "price" then complain\n' + COMPLAIN
    (pack / "intent.rules").write_text(text, encoding="utf-8")
    output = ran("diff", old, built(pack))
    assert 'when last has "price" then buy: now gives complain' in output
    assert "intent: added: rule" in output
    assert "1 changed, 1 added" in output
    assert "no difference" in ran("diff", old, old)


def test_history_lists_activations_and_what_is_not_published(place: Path) -> None:
    with Registry.open(place) as registry:
        one, two = add(registry, "one", "two")
        first = activate(registry, one, by="ann")
        registry.published(first, at_ms=make.NOW_MS)
        activate(registry, two, by="bob", shadow=one)
    lines = ran("history", "--domain", "shop").splitlines()
    of_bob = next(line for line in lines if "bob" in line)
    of_ann = next(line for line in lines if "ann" in line)
    assert lines.index(of_bob) < lines.index(of_ann)
    assert two[7:19] in of_bob
    assert one[7:19] in of_bob
    assert "no: run sync" in of_bob
    assert "2027-01-15 08:00" in of_ann
    assert "nothing was ever activated for bank" in ran("history", "--domain", "bank")


def test_history_calls_superseded_what_a_later_one_of_the_same_labels_overtook(
    place: Path,
) -> None:
    with Registry.open(place) as registry:
        (one,) = add(registry, "one")
        for by in ("ann", "bob", "cyd", "dan"):
            activation = activate(registry, one, by=by)
            if by == "cyd":
                registry.published(activation, at_ms=make.NOW_MS)
    lines = ran("history", "--domain", "shop").splitlines()
    published = {by: line for line in lines for by in ("ann", "bob", "cyd", "dan") if by in line}
    assert "no: run sync" in published["dan"]
    assert "2027-01-15 08:00" in published["cyd"]
    assert "no: superseded" in published["bob"]
    assert "no: superseded" in published["ann"]


def test_history_recounts_the_audit_trail(place: Path) -> None:
    with Registry.open(place) as registry:
        (one,) = add(registry, "one")
        activate(registry, one)
    output = ran("history", "--domain", "shop", "--audit")
    assert "release added" in output
    assert "2 rows of the audit trail, unbroken" in output


REFRESHED = RefreshRow(
    domain="shop",
    outcome="refused",
    inputs="1" * 64,
    active="sha256:" + "a" * 64,
    reasons=("FAILED: size: 9 rules, 5 are allowed", "passed: examples: 52", "passed: F1: 0.9"),
)


def test_the_audit_trail_says_of_a_refresh_what_came_of_it_and_why(place: Path) -> None:
    with Registry.open(place) as registry:
        registry.note_refresh(REFRESHED, by="cron", at_ms=make.NOW_MS)
    output = ran("history", "--domain", "shop", "--audit")
    assert (
        "refused; FAILED: size: 9 rules, 5 are allowed; 2 checks passed; active aaaaaaaaaaaa"
        in output
    )


def test_history_as_json_keeps_all_that_the_rows_hold(place: Path) -> None:
    with Registry.open(place) as registry:
        (one,) = add(registry, "one")
        activate(registry, one)
        registry.note_refresh(REFRESHED, by="cron", at_ms=make.NOW_MS)
    result = run("history", "--domain", "shop", "--audit", "--json")
    activation, refreshed, *others = map(json.loads, result.stdout.splitlines())
    assert (activation["row"], activation["digest"], activation["sequence"]) == (
        "activation",
        one,
        1,
    )
    assert (refreshed["row"], refreshed["number"]) == ("audit", 3)
    assert refreshed["details"]["reasons"] == list(REFRESHED.reasons)
    assert [row["what"] for row in others] == ["activated", "release added"]


def test_a_downgrade_asks_and_is_undone_by_an_upgrade() -> None:
    ran("list")
    assert "Go on?" in run("registry", "downgrade", "base").output
    ran("registry", "downgrade", "base", "--yes")
    ran("registry", "upgrade")
    assert "no release" in ran("list")


def test_an_upgrade_that_leaves_activations_belonging_nowhere_says_what_to_run(
    place: Path,
) -> None:
    with Registry.open(place) as registry:
        activate(registry, *add(registry, "one"))
    ran("registry", "downgrade", "0002", "--yes")
    assert "say where with `kdsl release registry rebind`" in ran("registry", "upgrade")
    with Registry.open(place) as registry:
        registry.bind(Binding(cluster="pK7c", prefix=""), by="ann", at_ms=make.NOW_MS)
    assert "rebind" not in ran("registry", "upgrade")


def test_a_schema_of_a_later_kdsl_is_refused(place: Path) -> None:
    ran("list")
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert "update kdsl" in refused(RegistryOutdated, "list")


def test_a_registry_that_cannot_be_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be made" in refused(
        RegistryUnavailable, "list", "--registry", "/dev/null/registry.db"
    )


def test_a_key_that_cannot_be_read_is_said_before_anything_is_built(
    pack: Path, place: Path
) -> None:
    assert "cannot be read" in refused(KeyRefused, "build", "--domain", pack, "--key", pack / "no")
    assert not place.exists()


def test_status_takes_the_trust_store_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KDSL_TRUST", str(tmp_path / "nowhere"))
    assert "nowhere" in refused(KeyRefused, "status", "--bootstrap", "127.0.0.1:1")


def test_a_file_that_the_key_did_not_sign_is_refused_before_the_registry_has_it(
    pack: Path, key: Path, other: Path, place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "shop.release"
    built(pack, "--key", key, "--out", out, "--registry", tmp_path / "elsewhere.db")
    assert "does not know" in refused(Untrusted, "activate", out, "--key", other)
    with Registry.open(place) as registry:
        assert registry.releases() == ()


def test_a_shadow_that_the_key_did_not_sign_or_nobody_knows_is_refused(
    pack: Path, key: Path, other: Path, place: Path, tmp_path: Path
) -> None:
    one, out = built(pack, "--key", key), tmp_path / "shop.release"
    (pack / "intent.rules").write_text(COMPLAIN)
    built(pack, "--key", other, "--out", out, "--registry", tmp_path / "elsewhere.db")
    command = ("activate", one, "--key", key, "--shadow")
    assert "does not know" in refused(Untrusted, *command, out)
    assert "not in the registry" in refused(UnknownRelease, *command, "0123456789")
    assert "neither a file nor" in refused(ReleaseRefused, *command, "nowhere.release")
    assert "its own shadow" in refused(ReleaseRefused, *command, one[:13])
    with Registry.open(place) as registry:
        assert [row.digest for row in registry.releases()] == [one]
        assert registry.history("kiosk") == ()


def test_who_builds_must_have_a_name(pack: Path) -> None:
    assert "by" in refused(InvalidEntry, "build", "--domain", pack, "--by", "a" * 1000)


def test_who_only_looks_at_a_file_needs_no_registry(
    pack: Path, key: Path, place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "shop.release"
    built(pack, "--key", key, "--out", out, "--registry", tmp_path / "elsewhere.db")
    ran("show", out)
    ran("diff", out, out)
    ran("verify", out, "--trust", public_path(key))
    assert not place.exists()


def test_tag_wants_a_signature_only_where_a_trust_store_is_configured(
    pack: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, dialogues = tmp_path / "kiosk.release", tmp_path / "said.jsonl"
    built(pack, "--out", out)
    turns = '[{"speaker": "user", "text": "what is the price"}]'
    dialogues.write_text(f'{{"dialogue_id": "one", "turns": {turns}}}\n')

    def tagged() -> Result:
        command = ["tag", str(dialogues), "--domain", str(pack), "--release", str(out)]
        return CliRunner().invoke(app, command)

    assert "buy" in tagged().output
    monkeypatch.setenv("KDSL_TRUST", str(public_path(key)))
    assert isinstance(tagged().exception, Untrusted)
    ran("sign", out, "--key", key)
    assert "buy" in tagged().output


def test_tag_takes_a_release_of_the_registry_by_its_digest_and_verifies_it(
    pack: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, dialogues = tmp_path / "elsewhere.db", tmp_path / "said.jsonl"
    name = built(pack, "--registry", elsewhere)
    (pack / "intent.rules").write_text("")  # so that nothing but the release can answer
    turns = '[{"speaker": "user", "text": "what is the price"}]'
    dialogues.write_text(f'{{"dialogue_id": "one", "turns": {turns}}}\n')

    def tagged(*options: str) -> Result:
        command = ["tag", str(dialogues), "--domain", str(pack), "--release", name[7:15], *options]
        return CliRunner().invoke(app, [*command, "--json"])

    assert isinstance(tagged().exception, UnknownRelease)
    assert f'"release": "{name}"' in tagged("--registry", str(elsewhere)).stdout
    monkeypatch.setenv("KDSL_REGISTRY", str(elsewhere))
    assert '"label": "buy"' in tagged().stdout
    monkeypatch.setenv("KDSL_TRUST", str(public_path(key)))
    assert isinstance(tagged().exception, Untrusted)
    ran("sign", name, "--key", key)
    assert '"label": "buy"' in tagged().stdout
