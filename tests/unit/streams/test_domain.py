"""A domain pack loads whole, or is refused with file, place and cure."""

import re
from pathlib import Path

import pytest

from rule_store import labels_digest
from streams.domain import AlertPolicy, load_domain
from streams.errors import InvalidDomain
from tests.factories import PACK_FILES, write_pack

TOML = PACK_FILES["domain.toml"]
POLICY = TOML[TOML.index("[[alerts]]") :]


def refusal(folder: Path, edit: dict[str, str]) -> str:
    with pytest.raises(InvalidDomain) as caught:
        load_domain(write_pack(folder, edit))
    return str(caught.value)


def test_a_pack_says_tasks_labels_lexicon_rules_and_policies(tmp_path: Path) -> None:
    domain = load_domain(write_pack(tmp_path))
    assert (domain.name, domain.language) == ("kiosk", "en")
    assert domain.labels == {"intent": ("buy", "complain")}
    assert domain.labels_digest == labels_digest({"intent": ("buy", "complain")})
    assert domain.tasks["intent"].assumed_reliability == 0.8
    assert domain.tasks["intent"].labels[1].description == "They are unhappy."
    assert domain.lexicon.phrases("anger") == ("angry", "fed up")
    (rule,) = domain.rule_sets["intent"].rules
    assert (rule.label, rule.note) == ("complain", "angry people")
    assert domain.alert_policies == (
        AlertPolicy(
            name="unhappy",
            task="intent",
            labels=frozenset({"complain"}),
            min_confidence=0.6,
            cooldown_s=900.0,
            max_age_s=3600.0,
        ),
    )


def test_a_pack_needs_neither_rules_nor_lexicon(tmp_path: Path) -> None:
    domain = load_domain(write_pack(tmp_path, {"intent.rules": "", "lexicon.toml": ""}))
    assert domain.rule_sets["intent"].rules == ()
    assert domain.lexicon.concepts == {}


def test_the_shipped_packs_load_by_name() -> None:
    storefront, taobao = load_domain("storefront"), load_domain("taobao")
    assert storefront.name == "storefront"
    assert taobao.name == "taobao"
    assert storefront.labels_digest != taobao.labels_digest


def test_an_unknown_name_lists_the_shipped_packs() -> None:
    with pytest.raises(InvalidDomain, match=r"clinc150, storefront, taobao, or a folder"):
        load_domain("nowhere")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('name = "kiosk"', 'name = "Kiosk"', "name must be lower-case letters"),
        ('name = "kiosk"', "name = 3", "name must be a string"),
        ('language = "en"', "", "language must be"),
        ("[tasks.intent]", "[tasks.mood]", "tasks.mood must be one of intent, scene"),
        ("answer_within_s = 10", "answer_within_s = 0", "tasks.intent.answer_within_s"),
        ("answer_within_s = 10", "answer_within_s = true", "tasks.intent.answer_within_s"),
        ("answer_within_s = 10", "answer_within_s = nan", "tasks.intent.answer_within_s"),
        ("assumed_reliability = 0.8", "", "tasks.intent.assumed_reliability"),
        ("assumed_reliability = 0.8", "assumed_reliability = 1", "from 0.01 to 0.99"),
        ('name = "buy"', 'name = "complain"', "labels of different names"),
        ('name = "buy"', 'name = ""', "tasks.intent.labels[0].name"),
        ('description = "They are unhappy."', "", "tasks.intent.labels[1].description"),
        ('labels = ["complain"]', 'labels = ["sue"]', "alerts[0].labels must be labels of intent"),
        ('labels = ["complain"]', "labels = []", "alerts[0].labels"),
        ('task = "intent"', 'task = "scene"', "alerts[0].task must be one of intent"),
        ("min_confidence = 0.6", "min_confidence = 1.1", "alerts[0].min_confidence"),
        ("cooldown_s = 900", "cooldown_s = 0", "alerts[0].cooldown_s"),
        ("[[alerts]]", "[alerts]", "alerts must be tables: [[alerts]]"),
        ("language =", "language language =", "cannot be read"),
    ],
)
def test_a_malformed_pack_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    assert old in TOML
    message = refusal(tmp_path, {"domain.toml": TOML.replace(old, new, 1)})
    assert message.startswith(str(tmp_path / "domain.toml"))
    assert place in message


def test_one_label_is_nothing_to_decide(tmp_path: Path) -> None:
    start = TOML.index('[[tasks.intent.labels]]\nname = "complain"')
    one = TOML[:start]
    assert "at least two [[labels]]" in refusal(tmp_path, {"domain.toml": one})


def test_a_pack_without_tasks_is_refused(tmp_path: Path) -> None:
    text = 'name = "kiosk"\nlanguage = "en"\ndescription = "x"\n[tasks]\n'
    assert "[tasks.intent], [tasks.scene]" in refusal(tmp_path, {"domain.toml": text})


def test_two_policies_of_one_name_are_refused(tmp_path: Path) -> None:
    """Their alerts would share an id, and one would hide the other."""
    assert "policies of different names" in refusal(tmp_path, {"domain.toml": TOML + POLICY})


def test_rules_are_refused_with_file_line_and_column(tmp_path: Path) -> None:
    text = 'when last has "x" then buy\nwhen last has then buy\n'
    message = refusal(tmp_path, {"intent.rules": text})
    assert re.search(re.escape(f"{tmp_path / 'intent.rules'}:2:") + r"\d+", message)


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ('when last has "x" then steal', "steal"),
        ("when last mentions joy then buy", "joy"),
        ('when tone has "x" then buy', "tone"),
    ],
)
def test_rules_may_name_only_what_the_pack_knows(tmp_path: Path, rule: str, named: str) -> None:
    message = refusal(tmp_path, {"intent.rules": rule})
    assert f"{tmp_path / 'intent.rules'}:1:" in message
    assert named in message


@pytest.mark.parametrize("text", ["[concepts]\nanger = []", '[concepts]\nanger = ["  "]', "x = 1"])
def test_a_malformed_lexicon_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    assert str(tmp_path / "lexicon.toml") in refusal(tmp_path, {"lexicon.toml": text})


def test_all_that_is_wrong_in_a_rules_file_is_told_at_once(tmp_path: Path) -> None:
    rules = 'when tone has "x" then steal\n\nwhen last has “x” then steal'
    told = refusal(tmp_path, {"intent.rules": rules}).splitlines()
    places = [line.removeprefix(f"{tmp_path / 'intent.rules'}:").split(": ")[0] for line in told]
    assert places == ["1:6", "1:24", "3:15", "3:24"]


def test_concepts_may_include_others(tmp_path: Path) -> None:
    lexicon = """
        [concepts]
        anger = ["angry"]
        [concepts.upset]
        includes = ["anger", "sorrow"]
        [concepts.sorrow]
        phrases = ["Sad"]
    """
    domain = load_domain(write_pack(tmp_path, {"lexicon.toml": lexicon}))
    assert domain.lexicon.concepts == {
        "anger": ("angry",),
        "sorrow": ("sad",),
        "upset": ("angry", "sad"),
    }


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ('[concepts.anger]\ninclude = ["joy"]', "concepts.anger must be phrases = "),
        ("[concepts.anger]", "concepts.anger must be phrases = "),
        ("[concepts.anger]\nphrases = []", "concepts.anger.phrases must be a list of strings"),
        ('[concepts.anger]\nincludes = ["joy"]', '"joy", which does not exist; known: "anger"'),
        ('[concepts.anger]\nincludes = ["anger"]', '"anger" → "anger"; remove one'),
    ],
)
def test_includes_that_lead_nowhere_are_refused_with_their_file(
    tmp_path: Path, text: str, cure: str
) -> None:
    message = refusal(tmp_path, {"lexicon.toml": text})
    assert str(tmp_path / "lexicon.toml") in message
    assert cure in message


LEXICON_OF_FAULTS = """\
[concepts]
empty = []
blank = ["ok", "  "]
counted = ["one", 2]
"退款" = [""]
fine = [
  "fine",
]
[concepts.first]
includes = ["second"]
[concepts.second]
includes = ["first", "fin"]
[concepts.odd]
phrase = ["odd"]
"""


def test_all_that_is_wrong_in_a_lexicon_is_told_at_once(tmp_path: Path) -> None:
    told = refusal(tmp_path, {"lexicon.toml": LEXICON_OF_FAULTS}).splitlines()
    file = tmp_path / "lexicon.toml"
    beginnings = [
        "2: concepts.empty must be a list of strings, at least one",
        '3: lexicon: concept "blank" has a phrase that is empty; give it',
        "4: concepts.counted must be a list of strings, none of them empty",
        "5: concepts.退款 must be a list of strings, none of them empty",
        '9: lexicon: concept "first" includes itself: "first" → "second" → "first"; remove',
        '11: lexicon: concept "second" includes "fin", which does not exist; did you mean "fine"?',
        "13: concepts.odd must be phrases = […], or a table of phrases and includes, not phrase",
    ]
    assert len(told) == len(beginnings)
    for line, beginning in zip(told, beginnings, strict=True):
        assert line.startswith(f"{file}:{beginning}")


@pytest.mark.parametrize(
    "text",
    [
        "concepts.anger = []",
        'concepts = { "anger" = [] }',
        '[concepts]\nanger.phrases = []\n[other]\nanger = ["x"]',
        '[concepts]\n"ang\\u0065r" = []\n',
        '[concepts]\njoy = ["""\nanger = []\n"""]\n"anger" = []\n',
    ],
)
def test_a_line_that_is_not_certain_is_left_out(tmp_path: Path, text: str) -> None:
    message = refusal(tmp_path, {"lexicon.toml": text})
    assert message.startswith(f"{tmp_path / 'lexicon.toml'}: concepts.anger")


def test_of_many_faults_of_a_lexicon_the_first_hundred_are_named(tmp_path: Path) -> None:
    text = "[concepts]\n" + "".join(f"c{number} = []\n" for number in range(130))
    told = refusal(tmp_path, {"lexicon.toml": text}).splitlines()
    assert len(told) == 101
    assert told[-1] == "and 30 more; mend these first"


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "intent.rules").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidDomain, match="cannot be read"):
        load_domain(tmp_path)


def test_a_file_beyond_its_bound_is_not_read(tmp_path: Path) -> None:
    write_pack(tmp_path)
    with (tmp_path / "lexicon.toml").open("ab") as file:
        file.truncate(5 * 1024 * 1024)
    with pytest.raises(InvalidDomain, match="larger than"):
        load_domain(tmp_path)
