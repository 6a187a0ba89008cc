"""A worker's source tells the transport what the settings say."""

from typing import cast

from streams.app import create_app
from streams.frames import Transport
from streams.settings import Settings


def test_the_transport_holds_and_stops_within_the_bounds_of_the_settings() -> None:
    app = create_app(Settings(buffer_bytes=10_000_000, stop_within_s=7.0), "alerter")
    transport = cast("Transport", app.transport)
    assert (transport.buffer_bytes, transport.crash_within_s) == (10_000_000, 7.0)
