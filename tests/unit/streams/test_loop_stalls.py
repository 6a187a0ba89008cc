"""Stalls of the event loop: noted while they last in the window, and really seen."""

import asyncio
import time

from streams.loop_stalls import LoopStalls, LoopWatch, ProcessorQueue
from streams.metrics import Metrics


def test_the_longest_of_the_window_is_told_until_it_is_forgotten() -> None:
    stalls = LoopStalls(window_s=15)
    for at_s, stall_s in ((100.1, 0.2), (100.9, 0.1), (103.0, 0.05)):
        stalls.note(stall_s, at_s=at_s)
    assert stalls.longest_s(at_s=114.9) == 0.2
    assert stalls.longest_s(at_s=115.0) == 0.05
    assert stalls.longest_s(at_s=118.0) == 0.0


async def test_what_keeps_the_loop_is_exported() -> None:
    metrics = Metrics("tagger")
    watch = LoopWatch(metrics)
    await watch.start()
    await asyncio.sleep(0.01)
    time.sleep(0.05)  # noqa: ASYNC251 - the stall
    await asyncio.sleep(0.01)
    stall_s = metrics.registry.get_sample_value("kdsl_loop_stall_seconds")
    own_s = metrics.registry.get_sample_value("kdsl_own_loop_stall_seconds")
    await watch.stop()
    assert stall_s is not None
    assert own_s is not None
    assert stall_s >= 0.05
    assert stall_s >= own_s > 0


def test_the_wait_for_a_processor_only_grows_and_is_asked_no_more_once_closed() -> None:
    processor = ProcessorQueue()
    waited_s = [processor.waited_s() for _ in range(3)]
    processor.close()
    assert waited_s == sorted(waited_s)
    assert processor.waited_s() == 0.0
