"""Asks the server of ``tests/program_server.py`` to run the program; imports little, because it starts each time."""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

SOCKET_VARIABLE = "RECBENCH_TESTS_SERVER"
"""Names the server's socket to ``tests/programs/recbench``."""
SIZE_BYTES = 4
"""The length of a request, before the request."""


def ask(
    path: str,
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    streams: Sequence[int],
    timeout: float | None = None,
) -> int:
    """Lets the server run ``recbench``; returns its exit code, or minus the number of the signal that ended it.

    Args:
        path: The server's socket.
        arguments: Of the program.
        folder: Where it runs.
        environment: All of its variables.
        streams: The descriptors of its input, output and messages.
        timeout: Seconds to wait.

    Raises:
        TimeoutError: It took longer.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        request = json.dumps([list(arguments), folder, dict(environment)]).encode()
        socket.send_fds(connection, [len(request).to_bytes(SIZE_BYTES)], list(streams))
        connection.sendall(request)
        return int(connection.recv(16))


def main(arguments: Sequence[str]) -> int:
    """Runs ``recbench`` in the place of this process, as a shell sees it; returns the exit code."""
    status = ask(os.environ[SOCKET_VARIABLE], arguments, str(Path.cwd()), os.environ, (0, 1, 2))
    # As a shell reports a signal.
    return 128 - status if status < 0 else status
