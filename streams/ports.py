"""Ports on this machine that nobody listens on."""

import secrets
import socket

from streams.errors import PortTaken

HOST = "127.0.0.1"
# Below the ports Linux gives to outgoing connections (32768 and up): while a server is down, a
# client that keeps connecting would sooner or later be given the server's own port.
_FREE_PORTS = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 right now."""
    with socket.socket() as probe:
        # As servers do: connections of one that just ended (TIME_WAIT) are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(*, excluding: int = 0) -> int:
    """A port that is free now; whoever takes it should be ready to find it lost.

    Raises:
        PortTaken: none was found.
    """
    for _ in range(1000):
        port = _FREE_PORTS[secrets.randbelow(len(_FREE_PORTS))]
        if port != excluding and is_free(port):
            return port
    raise PortTaken(
        f"no free port on {HOST} from {_FREE_PORTS.start} to {_FREE_PORTS.stop - 1}; "
        "stop something that listens there or name a port"
    )
