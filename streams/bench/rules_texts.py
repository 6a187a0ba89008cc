"""The dialogues of the rule benchmark: made from a seed, or read from a file."""

import json
import random
import re
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from streams.errors import DatasetError

_CHARS = 200
_PLACEHOLDER = re.compile(r"<[a-z]+>")
_SENTENCES = 20_000
_WORDS = 4_000
_HAN = (
    "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好"
    "都然没日于起还发成事只作当想看文无开手用主行方又如前所本见经头面公同已老从动两长发货退款快递订单商品颜色尺码质量优惠"
    "券客服地址物流包裹"
)
_LETTERS = "etaoinshrdlucmfwypvbgk"
# Nothing in common with the others: no phrase drawn from those occurs in texts of these.
_OTHER_HAN = (
    "鱼鸟虫草木石云雨雪霜露冰火山川江河湖海岛林森竹梅兰菊松柏桃李杏梨枣栗橘柚橙瓜豆麦稻粟黍稷"
)
_OTHER_LETTERS = "qxjzéñåø"


def made_dialogues(count: int, *, seed: int, other: bool = False) -> list[str]:
    """Dialogues of about 200 characters, the first half Chinese, the second in words.

    Words make sentences and sentences make dialogues, each drawn by Zipf's law, as people repeat
    themselves; so there are phrases of every frequency.

    other: of characters that the others do not have.
    """
    draw = random.Random(seed)  # noqa: S311 - texts for a benchmark, the same for every run
    han, letters = (_OTHER_HAN, _OTHER_LETTERS) if other else (_HAN, _LETTERS)
    chinese = _dialogues(
        draw, count // 2, [_word(draw, han, 1, 3) for _ in range(_WORDS)], "", "，。？！"
    )
    english = [_word(draw, letters, 3, 8) for _ in range(_WORDS)]
    return chinese + _dialogues(draw, count - count // 2, english, " ", ",.?!")


def mixed(texts: Sequence[str], *, seed: int) -> list[str]:
    """The same texts in an order in which any stretch is like the whole."""
    return random.Random(seed).sample(texts, len(texts))  # noqa: S311 - no secret


def _word(draw: random.Random, letters: str, least: int, most: int) -> str:
    return "".join(draw.choices(letters, k=draw.randint(least, most)))


def _dialogues(
    draw: random.Random, count: int, words: Sequence[str], space: str, marks: str
) -> list[str]:
    often = _zipf(len(words))
    sentences = [
        space.join(draw.choices(words, cum_weights=often, k=draw.randint(3, 7)))
        for _ in range(_SENTENCES)
    ]
    often = _zipf(len(sentences))
    return [_dialogue(draw, sentences, often, space, marks) for _ in range(count)]


def _dialogue(
    draw: random.Random, sentences: Sequence[str], often: Sequence[float], space: str, marks: str
) -> str:
    said: list[str] = []
    while sum(map(len, said)) < _CHARS - 6:
        (sentence,) = draw.choices(sentences, cum_weights=often)
        number = str(draw.randint(1, 999)) if draw.random() < 0.1 else ""
        said.append(sentence + number + draw.choice(marks))
    return space.join(said)


def _zipf(count: int) -> list[float]:
    return list(accumulate(1 / rank for rank in range(1, count + 1)))


def read_dialogues(path: Path) -> list[str]:
    """One dialogue a line: JSON with `turns` or `text`, a JSON string, or the text as it is.

    Raises:
        DatasetError: no file, or no text in it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}; name a file of dialogues") from error
    found = [text for line in lines if (text := _text(line).strip())]
    if not found:
        raise DatasetError(f"{path}: holds no text; give one dialogue a line")
    return found


def _text(line: str) -> str:
    """The text of a line, without placeholders such as `<image>`, which nobody said."""
    return _PLACEHOLDER.sub("", _written(line))


def _written(line: str) -> str:
    try:
        value: Any = json.loads(line)
    except ValueError:
        return line
    match value:
        case {"turns": [*turns]}:
            return "\n".join(str(turn.get("text", "")) for turn in turns if isinstance(turn, dict))
        case {"text": str(text)} | str(text):
            return text
        case dict():
            return ""
    return line
