"""A prompt says everything it may, and gives way from the oldest turn."""

import pytest

from inference.inputs import ModelInput, Screen, ScreenLine, TaskSpec
from inference.qwen_vl.prompt import (
    LATEST_HEADING,
    SCREEN_HEADING,
    Prompt,
    PromptSettings,
    least_text_tokens,
    prompt_of,
    system_lines,
    text_ids,
)

TASK = TaskSpec(
    name="intent",
    labels=("refund", "track_order"),
    descriptions={"refund": "The customer wants\nthe money back."},
)


def by_character(text: str) -> list[int]:
    return [ord(character) for character in text]


def screen(*texts: str) -> Screen:
    box = (0.0, 0.0, 1.0, 0.1)
    lines = tuple(ScreenLine(text=text, score=1.0, box=box) for text in texts)
    return Screen(width=10, height=20, lines=lines)


def asked(user: list[str], agent: list[str] | None = None, *screens: Screen) -> ModelInput:
    texts = {"last": user[-1] if user else "", "user": "\n".join(user)}
    return ModelInput(
        task="intent", texts={**texts, "agent": "\n".join(agent or [])}, screens=screens
    )


def written(prompt: Prompt, room_tokens: int = 10_000) -> str:
    return "".join(map(chr, text_ids(prompt, by_character, room_tokens=room_tokens)))


def prompt(question: ModelInput, settings: PromptSettings | None = None) -> Prompt:
    return prompt_of(question, TASK, ("A", "B"), settings or PromptSettings())


def test_labels_stand_beside_their_codes_and_meanings_on_one_line_each() -> None:
    lines = system_lines(TASK, ("A", "B"), PromptSettings())
    assert lines[-2:] == ("A: refund - The customer wants the money back.", "B: track_order")


def test_descriptions_and_screen_lines_can_be_left_out() -> None:
    settings = PromptSettings(descriptions=False, screen_lines=False)
    assert system_lines(TASK, ("A", "B"), settings)[-2:] == ("A: refund", "B: track_order")
    assert SCREEN_HEADING not in written(prompt(asked(["hi"], [], screen("Pay now")), settings))


def test_a_dialogue_is_written_in_full_when_there_is_room() -> None:
    question = asked(["hello", "where is it"], ["welcome"], screen("Order 1", " Sent\nto you "))
    assert written(prompt(question)) == (
        "Earlier user turns, oldest first:\nhello\n"
        "Agent turns, oldest first:\nwelcome\n"
        "Text on the screens:\nOrder 1\nSent to you\n"
        "Latest user turn:\nwhere is it\n"
        "Which label is the intent? Answer with its code."
    )


def test_an_empty_dialogue_still_asks() -> None:
    assert written(prompt(asked([]))) == "Which label is the intent? Answer with its code."


def test_the_lines_of_the_latest_screen_come_first() -> None:
    lines = prompt(asked(["hi"], [], screen("old"), screen("new 1", "new 2"))).screens
    assert lines == ("new 1", "new 2", "old")


def test_a_latest_turn_said_twice_is_listed_once_among_the_earlier() -> None:
    said = prompt(asked(["refund", "hello", "refund"]))
    assert (said.user, said.latest) == (("refund", "hello"), "refund")


@pytest.mark.parametrize("room_tokens", [300, 400, 600, 1_000])
def test_a_hundred_turns_lose_the_oldest_and_never_the_question(room_tokens: int) -> None:
    turns = [f"user turn {number:03}" for number in range(100)]
    replies = [f"agent turn {number:03}" for number in range(100)]
    text = written(prompt(asked(turns, replies)), room_tokens)
    assert len(text) <= room_tokens
    assert text.endswith("user turn 099\nWhich label is the intent? Answer with its code.")
    user = [line for line in text.split("\n") if line.startswith("user turn")]
    agent = [line for line in text.split("\n") if line.startswith("agent turn")]
    assert user == turns[-len(user) :]
    assert agent == replies[len(replies) - len(agent) :]
    assert abs(len(user) - 1 - len(agent)) <= 1


def test_more_room_never_loses_a_line() -> None:
    turns = [f"turn {number} " + "x" * (number % 7) for number in range(40)]
    question = asked(turns, turns[:20])
    least = least_text_tokens(TASK, by_character)
    before: set[str] = set()
    for room_tokens in range(least, least + 1_500, 50):
        now = set(written(prompt(question), room_tokens).split("\n"))
        assert before <= now
        before = now


def test_screens_take_at_most_half_of_what_the_latest_turn_leaves() -> None:
    turns = [f"turn {number:02}" for number in range(60)]
    text = written(prompt(asked(turns, [], screen(*("y" * 19 for _ in range(60))))), 600)
    shown = text.count("y" * 19 + "\n") * 20
    said = text.count("\nturn") * 8
    assert 0 < shown <= 220
    assert said >= 200


def test_of_a_turn_that_is_too_long_by_itself_the_end_is_kept() -> None:
    least = least_text_tokens(TASK, by_character)
    text = written(prompt(asked(["a" * 50_000 + " i want my money back"])), least)
    assert len(text) <= least
    assert LATEST_HEADING in text
    assert "i want my money back\nWhich label is the intent?" in text
