"""What frames do not support is refused with a sentence before anything is read."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import faust
import pytest

from streams.frames import frame_topic

APP = """
import faust
from streams.frames import frame_topic

app = faust.App("u", broker="framed://127.0.0.1:1")
orders = frame_topic(app, "orders")
{agents}
app.main()
"""
SEVERAL = """
@app.agent(orders)
async def first(stream): ...

@app.agent({topic})
async def second(stream): ...
"""
CONCURRENT = """
@app.agent(orders, concurrency=2)
async def both(stream): ...
"""


def make_app(**settings: Any) -> faust.App:
    return faust.App("u", broker="framed://nowhere:1", **settings)


def run_worker(agents: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Start the app, far from any broker, with these agents."""
    program = folder / "app.py"
    program.write_text(APP.format(agents=agents))
    return subprocess.run(
        [sys.executable, str(program), "worker", "-l", "info", "--without-web"],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("topic", ["orders", "app.topic('orders')"], ids=["framed", "ordinary"])
def test_several_agents_on_a_framed_topic_are_refused_at_start(topic: str, tmp_path: Path) -> None:
    """Acknowledging a frame is one agent's affair; a second would find its records committed."""
    ended = run_worker(SEVERAL.format(topic=topic), tmp_path)
    assert ended.returncode != 0
    assert "orders is framed and has several agents" in ended.stdout + ended.stderr


def test_a_concurrent_agent_on_a_framed_topic_is_refused_at_start(tmp_path: Path) -> None:
    ended = run_worker(CONCURRENT, tmp_path)
    assert ended.returncode != 0
    assert "takes frames of orders: leave its concurrency at 1" in ended.stdout + ended.stderr


def test_a_topic_is_declared_as_framed_once() -> None:
    """The bounds of a second declaration would silently replace those of the first."""
    app = make_app()
    frame_topic(app, "orders")
    frame_topic(app, "clicks")
    with pytest.raises(ValueError, match="orders is declared already"):
        frame_topic(app, "orders")


def test_transactions_are_refused_at_declaration() -> None:
    with pytest.raises(TypeError, match="processing_guarantee"):
        frame_topic(make_app(processing_guarantee="exactly_once"), "orders")
