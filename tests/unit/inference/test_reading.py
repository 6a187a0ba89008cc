"""Images are read in a child that may hang, crash or outlive nobody."""

import asyncio
import hashlib
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from inference.errors import ImageKillsReader, MissingExtra, ReaderUnavailable, ReadingFailed
from inference.inputs import ScreenLine
from inference.reading import Reader, Reading, ReadingCache, own_reader

CHILD = """
import os, sys, time
from inference.reading_child import send, serve
answers = os.fdopen(os.dup(1), "wb")
def read(image):
    with open(sys.argv[1], "ab") as log:
        log.write(image + b"\\n")
    if image.startswith(b"hang"):
        time.sleep(600)
    if image.startswith(b"crash"):
        os._exit(9)
    if image.startswith(b"garbage"):
        answers.write(b"\\xff\\xff\\xff\\xff"); answers.flush()
    if image.startswith(b"odd"):
        return {"lines": 3}
    if image.startswith(b"raise"):
        raise OSError("secret words in the image")
    line = {"text": image.decode(), "score": 0.5, "box": [0, 0, 1, 1]}
    return {"width": 3, "height": 2, "lines": [line]}
send(answers, {"ready": True})
serve(sys.stdin.buffer, answers, read)
"""


def sha(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def fake_reader(folder: Path, *, timeout_s: float = 20.0, child: str = CHILD) -> Reader:
    """A reader whose child notes the images it sees in `folder/log`."""
    command = (sys.executable, "-c", child, str(folder / "log"))
    return Reader(ReadingCache(folder / "cache"), timeout_s=timeout_s, command=command)


def seen(folder: Path) -> list[bytes]:
    log = folder / "log"
    return log.read_bytes().split() if log.exists() else []


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - no event crosses from another process
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_an_image_is_read_once_and_then_known(tmp_path: Path) -> None:
    reader = fake_reader(tmp_path)
    line = ScreenLine(text="hello", score=0.5, box=(0.0, 0.0, 1.0, 1.0))
    expected = Reading(reader=own_reader(), width=3, height=2, lines=(line,))
    both = await asyncio.gather(*(reader.read(b"hello", sha(b"hello")) for _ in range(2)))
    assert both == [expected, expected]
    assert seen(tmp_path) == [b"hello"]
    await reader.close()


async def test_a_given_reading_spares_the_child(tmp_path: Path) -> None:
    reader = fake_reader(tmp_path)
    cache = ReadingCache(tmp_path / "cache")
    cache.put_given(sha(b"hello"), Reading(reader="given", width=1, height=1, lines=()))
    assert (await reader.read(b"hello", sha(b"hello"))).reader == "given"
    assert reader.child_pid is None
    own = Reader(cache, given=False, command=reader._command)
    assert (await own.read(b"hello", sha(b"hello"))).reader == own_reader()
    await own.close()


async def test_a_hanging_image_is_killed_twice_and_not_tried_again(tmp_path: Path) -> None:
    reader = fake_reader(tmp_path, timeout_s=0.3)
    await reader.warm()
    first = reader.child_pid
    with pytest.raises(ImageKillsReader) as caught:
        await reader.read(b"hang", sha(b"hang"))
    assert caught.value.sha256 == sha(b"hang")
    assert first is not None
    assert not alive(first)
    with pytest.raises(ImageKillsReader):
        await reader.read(b"hang", sha(b"hang"))
    assert seen(tmp_path) == [b"hang", b"hang"]
    await reader.close()


@pytest.mark.parametrize("image", [b"crash", b"garbage"])
async def test_an_image_that_ends_the_child_takes_nobody_along(
    tmp_path: Path, image: bytes
) -> None:
    reader = fake_reader(tmp_path)
    with pytest.raises(ImageKillsReader):
        await reader.read(image, sha(image))
    assert (await reader.read(b"next", sha(b"next"))).lines[0].text == "next"
    await reader.close()


async def test_a_child_killed_from_outside_is_started_again(tmp_path: Path) -> None:
    reader = fake_reader(tmp_path)
    await reader.warm()
    pid = reader.child_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert (await reader.read(b"hello", sha(b"hello"))).lines[0].text == "hello"
    assert reader.child_pid != pid
    await reader.close()


@pytest.mark.parametrize("image", [b"raise", b"odd"])
async def test_what_the_child_cannot_read_is_said_without_quoting_it(
    tmp_path: Path, image: bytes
) -> None:
    reader = fake_reader(tmp_path)
    with pytest.raises(ReadingFailed) as caught:
        await reader.read(image, sha(image))
    assert "secret" not in str(caught.value)
    assert seen(tmp_path) == [image]  # the child answered: no second try
    await reader.close()


async def test_a_cancelled_reading_does_not_answer_the_next_one(tmp_path: Path) -> None:
    reader = fake_reader(tmp_path)
    await reader.warm()
    reading = asyncio.create_task(reader.read(b"hang", sha(b"hang")))
    await until(lambda: bool(seen(tmp_path)))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert (await reader.read(b"next", sha(b"next"))).lines[0].text == "next"
    await reader.close()


async def test_close_leaves_no_process_also_in_the_middle_of_an_image(tmp_path: Path) -> None:
    reader = fake_reader(tmp_path)
    await reader.warm()
    pid = reader.child_pid
    assert pid is not None
    reading = asyncio.create_task(reader.read(b"hang", sha(b"hang")))
    await until(lambda: bool(seen(tmp_path)))
    await reader.close()
    assert not alive(pid)
    with pytest.raises(ReaderUnavailable, match="closed"):
        await reading
    with pytest.raises(ReaderUnavailable, match="closed"):
        await reader.read(b"next", sha(b"next"))


async def test_a_child_that_does_not_start_is_said_so(tmp_path: Path) -> None:
    reader = fake_reader(tmp_path, child="import sys; sys.exit(3)")
    with pytest.raises(ReaderUnavailable, match="--check"):
        await reader.warm()
    await reader.close()


async def test_a_missing_package_is_named_with_its_extra(tmp_path: Path) -> None:
    child = (
        "import os\nfrom inference.reading_child import send\n"
        "send(os.fdopen(1, 'wb'), {'ready': False, 'missing': 'rapidocr'})"
    )
    reader = fake_reader(tmp_path, child=child)
    with pytest.raises(MissingExtra, match=r"pip install '\.\[ocr\]'"):
        await reader.warm()
    await reader.close()


async def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """Also in the middle of an image: nothing but the end of stdin tells it."""
    parent_code = (
        "import asyncio, sys, os\nfrom pathlib import Path\n"
        "from inference.reading import Reader, ReadingCache\n"
        "async def main():\n"
        "    command = (sys.executable, '-c', sys.argv[2], sys.argv[1] + '/log')\n"
        "    reader = Reader(ReadingCache(Path(sys.argv[1]) / 'cache'), command=command)\n"
        "    await reader.warm()\n"
        "    print(reader.child_pid, flush=True)\n"
        "    await reader.read(b'hang', '0' * 64)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", parent_code, str(tmp_path), CHILD),
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    await until(lambda: bool(seen(tmp_path)))
    parent.kill()
    await parent.wait()
    await until(lambda: not alive(child) or is_zombie(child))


def is_zombie(pid: int) -> bool:
    """Ended and not yet reaped: in a container nobody may reap orphans."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


async def test_a_drawn_screenshot_is_really_read(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="needs the extra `ocr`")
    picture = Image.new("RGB", (480, 320), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((30, 40), "Payment successful", fill="black", font=ImageFont.load_default(size=36))
    draw.text((30, 200), "Order 4711", fill="black", font=ImageFont.load_default(size=30))
    file = io.BytesIO()
    picture.save(file, "PNG")
    image = file.getvalue()
    reader = Reader(ReadingCache(tmp_path), timeout_s=120, start_timeout_s=240)
    reading = await reader.read(image, sha(image))
    with pytest.raises(ReadingFailed, match="UnidentifiedImageError"):
        await reader.read(b"no image", sha(b"no image"))
    await reader.close()
    assert [line.text.replace(" ", "") for line in reading.lines] == [
        "Paymentsuccessful",
        "Order4711",
    ]
    assert (reading.width, reading.height) == (480, 320)
    assert all(0 <= edge <= 1 for line in reading.lines for edge in line.box)
    assert reading.lines[0].box[1] < 0.3 < 0.5 < reading.lines[1].box[1]
