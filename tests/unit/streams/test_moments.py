"""Examples that show one dialogue at several moments stay together."""

from dataclasses import replace

from rule_store.folds import is_admission
from streams.admission import Split
from tests.refreshes import question


def test_no_dialogue_is_on_both_sides_of_the_admission_split() -> None:
    """Else the gate would read what the rules were mined from."""
    moments = [
        replace(question(f"d{number}-{moment}", "track"), dialogue_id=f"d{number}")
        for number in range(50)
        for moment in range(3)
    ]
    split = Split.of(moments)
    held = {each.dialogue_id for each in split.admission}
    assert held == {f"d{number}" for number in range(50) if is_admission(f"d{number}")}
    assert held.isdisjoint(each.dialogue_id for each in split.learn)
    assert len(split.admission) == 3 * len(held)
