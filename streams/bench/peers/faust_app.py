"""What both Faust rows share: the app, stock and best, and the way out."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import faust

from streams.bench.meter import Meter
from streams.bench.plan import Plan

# Gives the app its agent.
Add: TypeAlias = Callable[[faust.App, Plan, Meter], None]


class BareApp(faust.App):
    """A Faust app without its monitor, which counts every message several times."""

    def on_init_dependencies(self) -> Iterable[Any]:
        services = list(super().on_init_dependencies())
        self.sensors.remove(self.monitor)
        return services


# Needed for the task, not for speed: the web server would take a fixed port.
_NEEDED: dict[str, Any] = {
    "env_prefix": "KDSL_BENCH_FAUST_",
    "key_serializer": "raw",
    "value_serializer": "raw",
    "web_enabled": False,
}
_BEST: dict[str, Any] = {
    "topic_allow_declare": False,
    "topic_disable_leader": True,
    "broker_commit_interval": 1.0,
    "broker_session_timeout": 10.0,
    "broker_heartbeat_interval": 3.0,
    "broker_rebalance_timeout": 10.0,
    "broker_max_poll_records": 2000,
    "stream_buffer_maxsize": 16384,
    "stream_wait_empty": False,
}


def make_app(plan: Plan) -> faust.App:
    options = _NEEDED | {
        "broker": f"kafka://{plan.bootstrap}",
        "topic_partitions": plan.partitions,
    }
    if plan.best:
        return BareApp(plan.group, **options, **_BEST)
    return faust.App(plan.group, **options)


def bytes_topic(app: faust.App, name: str) -> Any:
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )


def run_row(plan: Plan, meter: Meter, *, stock: Add, best: Add) -> None:
    """Run a row's worker until it is killed."""
    app = make_app(plan)
    (best if plan.best else stock)(app, plan, meter)
    run_app(app)


def run_app(app: faust.App) -> None:
    # At `warn` Faust turns the root logger to DEBUG, for its spinner.
    faust.Worker(app, loglevel="info").execute_from_commandline()


async def commit_all(app: faust.App) -> None:
    """Commit what is acknowledged by now."""
    # The first may only wait for a commit that was under way already, of less than all.
    await app.consumer.commit()
    await app.consumer.commit()


async def commit_and_finish(app: faust.App, meter: Meter) -> None:
    """Deliver what is buffered, commit what is acknowledged, stop the clock."""
    await app.producer.flush()
    await commit_all(app)
    meter.finish()
