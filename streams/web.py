"""`/live`, `/ready` and `/metrics` of a worker, on localhost unless told otherwise."""

import logging

import mode
from aiohttp import web

from streams.errors import PortTaken
from streams.health import Health
from streams.metrics import Metrics

_log = logging.getLogger(__name__)


class Web(mode.Service):
    """A small server of its own: Faust's also serves tables, and is up only once Kafka is."""

    def __init__(self, *, host: str, port: int, health: Health, metrics: Metrics) -> None:
        super().__init__()
        self._host = host
        self._port = port
        self._health = health
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self.address: str | None = None

    async def on_start(self) -> None:
        app = web.Application()
        app.router.add_get("/live", self._live)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/metrics", self._exposition)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {self._host}:{self._port} ({error.strerror}): "
                "give another --web-port, or 0 for a free one"
            ) from error
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"
        _log.info("health and metrics at %s", self.address)

    async def on_stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _live(self, _request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _request: web.Request) -> web.Response:
        ready = self._health.ready
        body = {
            "ready": ready,
            "obstacles": self._health.obstacles,
            "notes": self._health.notes,
        }
        return web.json_response(body, status=200 if ready else 503)

    async def _exposition(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.exposition(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )
