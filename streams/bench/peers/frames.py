"""Ours: a Faust agent that takes frames, overlaps them, and sends batches."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import faust
import mode

from streams.bench.labelling import label
from streams.bench.meter import Meter
from streams.bench.peers.faust_app import commit_all, run_app
from streams.bench.plan import Plan
from streams.frames import Frame, Outlet, RecordTuple, check_faust, frame_topic, frames, overlap

_OPTIONS: dict[str, Any] = {
    "env_prefix": "KDSL_BENCH_FAUST_",
    "web_enabled": False,
    "topic_allow_declare": False,
    "topic_disable_leader": True,
    "broker_commit_interval": 1.0,
    "broker_session_timeout": 10.0,
    "broker_heartbeat_interval": 3.0,
    "broker_rebalance_timeout": 10.0,
    "broker_max_poll_records": 2000,
}


def run(plan: Plan, meter: Meter) -> None:
    check_faust()
    app = faust.App(
        plan.group,
        broker=f"framed://{plan.bootstrap}",
        topic_partitions=plan.partitions,
        **_OPTIONS,
    )
    outlet = Outlet(bootstrap_servers=plan.bootstrap)

    async def decide(frame: Frame) -> list[RecordTuple]:
        meter.begin()
        if plan.frame_s:
            await asyncio.sleep(plan.frame_s)
        # Plain tuples, as an `OutputRecord` takes four times as long to make.
        return [(plan.target, record.key, label(record.value), (), None) for record in frame]

    async def send(_frame: Frame, outputs: list[RecordTuple]) -> Awaitable[object]:
        return await outlet.send(outputs)

    def acknowledge(frame: Frame, _outputs: list[RecordTuple]) -> None:
        frame.ack_all()
        meter.add(len(frame))
        if meter.over:
            over.set()

    over = asyncio.Event()

    async def work(stream: Any) -> None:
        await outlet.start()
        await overlap(frames(stream), decide=decide, send=send, acknowledge=acknowledge)

    async def finish() -> None:
        await over.wait()
        await commit_all(app)
        meter.finish()

    app.agent(
        frame_topic(app, plan.source), concurrency=1, supervisor_strategy=mode.CrashingSupervisor
    )(work)
    app.task(finish)
    run_app(app)
