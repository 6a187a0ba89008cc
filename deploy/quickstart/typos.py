"""Slips of a hurried hand."""

from deploy.quickstart.draws import Draws

_SHORT = (
    ("please", "pls"), ("you", "u"), ("because", "cos"), ("thanks", "thx"), ("would", "wud"),
    ("delivery", "delivry"), ("something", "smth"), ("refund", "refnud"), ("about", "abt"),
)  # fmt: skip


def misspell(word: str, draws: Draws) -> str:
    """Swap, drop or double one letter inside a word of five letters or more."""
    if len(word) < 5 or not word.isalpha():
        return word
    at = draws.between(1, len(word) - 3)
    kind = draws.between(0, 2)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at] + word[at:]


def hurried(text: str, draws: Draws) -> str:
    """The text as typed in a hurry: one or two of many possible slips."""
    if draws.chance(0.35):
        text = text.replace("'", "")
    if draws.chance(0.35):
        text = text.rstrip("?.").lower()
    if draws.chance(0.25):
        for full, short in _SHORT:
            text = text.replace(f"{full} ", f"{short} ")
    words = text.split(" ")
    for _ in range(draws.between(0, 2)):
        at = draws.between(0, len(words) - 1)
        words[at] = misspell(words[at], draws)
    return " ".join(words)
