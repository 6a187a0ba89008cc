"""Which of the registry's examples a refresh reads beside those of files."""

from dataclasses import replace

from rule_store.canonical import canonical_json
from rule_store.registry import LabelledExample
from streams.events import Question
from streams.refresh_examples import as_dataset, choose_stored
from tests.refreshes import DOMAIN, TWO_TASKS, question


def stored(name: str, label: str, **fields: object) -> LabelledExample:
    line = {"dialogue_id": name, "task": "intent", "label": label, **fields}
    return LabelledExample(
        example_id=name, line=canonical_json(line), labels=(label,), origin="train.jsonl"
    )


def test_the_registrys_lines_are_read_as_they_stand() -> None:
    rows = [stored("d1", "track"), stored("d2", "refund")]
    found = choose_stored(rows, [], DOMAIN)
    assert found.lines == (rows[0].line, rows[1].line)
    assert found.notes == ()


def test_what_a_file_gives_too_is_read_from_the_file() -> None:
    found = choose_stored([stored("d1", "track")], [question("d1", "track")], DOMAIN)
    assert (found.lines, found.contradicted, found.notes) == ((), frozenset(), ())


def test_what_a_file_labels_otherwise_is_left_out_of_both_and_said() -> None:
    found = choose_stored([stored("d1", "track")], [question("d1", "refund")], DOMAIN)
    assert found.lines == ()
    assert found.contradicted == {"d1"}
    (note,) = found.notes
    assert note.startswith("another label in --examples than in the registry: 1 example ('d1'); ")


def test_an_event_of_two_tasks_has_a_label_of_each() -> None:
    scene = replace(question("d1", "track"), question=Question(task="scene"), label="chat")
    given = [question("d1", "track"), scene]
    found = choose_stored([stored("d1", "track")], given, TWO_TASKS)
    assert (found.lines, found.contradicted, found.notes) == ((), frozenset(), ())
    found = choose_stored([stored("d1", "track")], [scene], TWO_TASKS)
    assert (len(found.lines), found.contradicted) == (1, frozenset())


def test_images_of_which_only_the_names_are_known_are_left_out() -> None:
    rows = [stored("d1", "track", images=["a.png"]), stored("d2", "track", images=[])]
    found = choose_stored(rows, [], DOMAIN)
    assert found.lines == (rows[1].line,)
    (note,) = found.notes
    assert "1 example ('d1'); left out: give their dataset with --examples" in note


def test_labels_and_tasks_that_the_pack_no_longer_has_are_left_out() -> None:
    rows = [stored("d1", "praise"), stored("d2", "track", task="mood"), stored("d3", "track")]
    found = choose_stored(rows, [], DOMAIN)
    assert found.lines == (rows[2].line,)
    (note,) = found.notes
    assert "that the pack does not know: 2 examples ('d1', 'd2'); left out" in note


def test_lines_are_a_dataset_while_they_are_read() -> None:
    with as_dataset([b"{}", b"[]"]) as file:
        assert file.read_bytes() == b"{}\n[]\n"
    assert not file.exists()
