"""Whether a Kafka node answers yet."""

import contextlib
import socket
import struct

from streams.ports import HOST


def answers(port: int) -> bool:
    """Whether one ApiVersions request (key 18, version 0) is answered, header and body."""
    client_id = b"kdsl"
    request = struct.pack(">hhih", 18, 0, 1, len(client_id)) + client_id
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1.0) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        return len(connection.recv(4)) > 0
    return False
