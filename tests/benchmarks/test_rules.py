"""`kdsl bench rules` at a size that shows that it works, and nothing about speed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rule_store import CompiledRules, Evidence, fold
from streams.bench.rules_alone import dialogues
from streams.bench.rules_drawn import CHANNEL, draw_rules
from streams.bench.rules_hyperscan import deciding
from streams.bench.rules_peers import PEERS
from streams.bench.rules_texts import made_dialogues, read_dialogues
from streams.bench.rules_timing import whole
from streams.cli.bench import app
from streams.errors import DatasetError


def test_every_peer_is_measured_and_every_figure_written(tmp_path: Path) -> None:
    figures = tmp_path / "rules.json"
    outcome = CliRunner().invoke(app, ["rules", "--quick", "--json", str(figures)])
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["ratios"].keys() == {peer.name for peer in PEERS}
    assert all(ratio > 0 for ratio in found["ratios"].values())
    assert found["stages_us"].keys() == {"fold", "scan", "candidates", "decision"}
    assert found["growth_100_to_10000"] > 0
    met, without = found["rows"]
    assert met["many"]["hits"] > 0
    assert met["many"]["fired"] > 0
    assert (without["many"]["hits"], without["many"]["fired"]) == (0, 0)


def test_drawn_rules_have_the_phrases_they_promise_and_fire() -> None:
    texts = [fold(text) for text in made_dialogues(400, seed=3)]
    drawn = draw_rules(texts, rules=50, seed=3)
    assert len(drawn.rule_set.rules) == 50
    assert len(drawn.phrases) == 250
    assert all(1 < len(rule.body) < 5 for rule in drawn.rule_set.rules)
    compiled = CompiledRules.of(drawn.rule_set, drawn.lexicon)
    fired = {
        rule.id
        for evaluation in compiled.evaluate_all(Evidence(texts={CHANNEL: text}) for text in texts)
        for rule in evaluation.fired
    }
    assert fired == {rule.id for rule in drawn.rule_set.rules}
    assert draw_rules(texts, rules=50, seed=3) == drawn


def test_in_our_automatons_place_hyperscan_leads_to_the_same_verdicts() -> None:
    texts = made_dialogues(60, seed=3)
    drawn = draw_rules([fold(text) for text in texts], rules=50, seed=3)
    ours = whole(drawn, CompiledRules.of(drawn.rule_set, drawn.lexicon))
    theirs = deciding(drawn)
    verdicts = [ours(text) for text in texts]
    assert [theirs(text) for text in texts] == verdicts
    assert len(set(verdicts)) > 1


def test_the_first_of_mixed_dialogues_are_of_both_scripts() -> None:
    """Peers that are slow work off a handful."""
    first = dialogues(None, seed=0, count=100)[:16]
    assert {text.isascii() for text in first} == {True, False}


def test_dialogues_are_read_from_lines_of_json_or_of_text(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl"
    turns = {"turns": [{"speaker": "user", "text": "where"}, {"speaker": "agent", "text": "here"}]}
    lines = [json.dumps(turns), json.dumps({"turns": []}), '{"text": "a"}', '"b"', "c d"]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert read_dialogues(path) == ["where\nhere", "a", "b", "c d"]
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="holds no text"):
        read_dialogues(path)
